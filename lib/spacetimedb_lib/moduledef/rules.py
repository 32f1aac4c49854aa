"""Which rules a definition is judged by.

Two things decide: the version of the format that the module speaks, and the release of the public system
whose judgement is wanted (`Edition`). Sections and name kinds that later releases added are accepted in every
edition, so that modules built with newer libraries load; the edition decides only where the releases disagree
about the same definition:

====================================  ==============================  ===================================
definition has                        Edition.V2_8                    Edition.V2_14
====================================  ==============================  ===================================
a sequence with start, min, max or    accepted if the range is sound  refused (InvalidSequenceDefOption)
an increment other than 1
a submodule namespace                 taken as it is                  converted by the parent's policy
views with keys and parameters,       accepted                        refused
F32/F64 parameters of views,
scheduled event tables,
names equal to a namespace
version 10 output                     says nothing of case policy     begins with policy None, uses
                                                                      accessors of HTTP handlers
====================================  ==============================  ===================================

An explicit name for a namespace is honoured in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Edition(Enum):
    V2_8 = "2.8"
    V2_14 = "2.14"


class RawVersion(Enum):
    """The format in which a module described itself; the public system tells only these two apart."""

    V9_OR_EARLIER = "V9OrEarlier"
    V10 = "V10"


@dataclass(frozen=True)
class Rules:
    version: RawVersion
    edition: Edition

    @property
    def names_are_given(self) -> bool:
        """Names of indexes, constraints and schedules are taken from the definition where it has them."""
        return self.version is RawVersion.V9_OR_EARLIER

    @property
    def functions_may_be_private(self) -> bool:
        """Scheduled functions and lifecycle reducers become private."""
        return self.version is RawVersion.V10

    @property
    def views_have_keys(self) -> bool:
        return self.version is RawVersion.V10

    @property
    def newer(self) -> bool:
        return self.edition is Edition.V2_14
