"""Which modules this server speaks the language of."""

import pytest

from spacetimedb_standalone.host.interface import ModuleError
from spacetimedb_standalone.host.wasm import abi_version


def test_the_newest_minor_version_among_the_imports_counts() -> None:
    assert abi_version.required(["spacetime_10.0", "spacetime_10.4", "spacetime_10.1"]) == (10, 4)
    assert abi_version.required(["env", "spacetime_10.0"]) == (10, 0)


@pytest.mark.parametrize("minor", range(7))
def test_versions_10_0_to_10_6_are_spoken(minor: int) -> None:
    abi_version.check([f"spacetime_10.{minor}"])


@pytest.mark.parametrize(
    ("imports", "text"),
    [
        ([], "unable to determine ABI of module (may be on an spacetime version < 0.8)"),
        (["env"], "unable to determine ABI of module (may be on an spacetime version < 0.8)"),
        (["spacetime_10"], 'import module "spacetime_10" has malformed version string'),
        (["spacetime_10.x"], 'import module "spacetime_10.x" has malformed version string'),
        (["spacetime_10.0.1"], 'import module "spacetime_10.0.1" has malformed version string'),
        (["spacetime_10.65536"], 'import module "spacetime_10.65536" has malformed version string'),
        (
            ["spacetime_9.0", "spacetime_10.0"],
            "module cannot depend on both major version 9 and major version 10",
        ),
        (["spacetime_10.7"], "abi version 10.7 is not supported (host implements 10.6)"),
        (["spacetime_11.0"], "abi version 11.0 is not supported (host implements 10.6)"),
        (["spacetime_9.0"], "abi version 9.0 is not supported (host implements 10.6)"),
    ],
)
def test_others_are_refused(imports: list[str], text: str) -> None:
    with pytest.raises(ModuleError) as refused:
        abi_version.check(imports)
    assert str(refused.value) == text
