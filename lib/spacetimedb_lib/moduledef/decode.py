"""From a module's description of itself to a `ModuleDef`."""

from __future__ import annotations

from spacetimedb_lib.moduledef import upgrade_v8, upgrade_v9
from spacetimedb_lib.moduledef.definition import ModuleDef
from spacetimedb_lib.moduledef.errors import ModuleDefDecodeError, ValidationError, ValidationErrors
from spacetimedb_lib.moduledef.raw import decode_raw
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.moduledef.rules import Edition, RawVersion, Rules
from spacetimedb_lib.moduledef.tables import ROOT
from spacetimedb_lib.moduledef.validate.context import FirstIds
from spacetimedb_lib.moduledef.validate.module import validate_module
from spacetimedb_lib.moduledef.validate.problems import Problems


def decode(data: bytes, edition: Edition = Edition.V2_8) -> ModuleDef:
    """Read and check the BSATN of a raw definition of any version.

    Raises `ModuleDefDecodeError` when it is not well-formed, `ValidationErrors` when it makes no sense.
    """
    return validate(decode_raw(data), edition)


def validate(raw: Tagged, edition: Edition = Edition.V2_8) -> ModuleDef:
    """Check a raw definition of any version.

    Raises `ValidationErrors`, or `ModuleDefDecodeError` when it is nested too deeply to be judged.
    """
    try:
        return _validate(raw, edition)
    except RecursionError:
        raise ModuleDefDecodeError("the module's types or submodules are nested too deeply") from None


def _validate(raw: Tagged, edition: Edition) -> ModuleDef:
    version, content = raw
    rules = Rules(RawVersion.V10 if version == "V10" else RawVersion.V9_OR_EARLIER, edition)
    errors: list[ValidationError] = []
    if version == "V8BackCompat":
        content, found = upgrade_v8.upgrade(content)
        errors += found
    if rules.version is RawVersion.V9_OR_EARLIER:
        content, found = upgrade_v9.upgrade(content)
        errors += found
    problems = Problems()
    with problems:
        definition = validate_module(content, rules, ROOT, FirstIds())
    errors += problems.errors
    if errors:
        raise ValidationErrors(errors)
    return definition
