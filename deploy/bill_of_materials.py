"""`make sbom`: all that a release is made of, as CycloneDX: packages and weights, by their hashes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from asrsite import __version__
from recognition.model_sets.reading import model_set_names, read_model_set

from . import licences

LOCK = "requirements.lock"

_ENTRY = re.compile(r"^([a-z0-9-]+)==([^ ;\\\n]+)([^\n]*)\n((?:    --hash=[^\n]*\n)*)", re.M)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill() -> Bom:
    """Return everything that the service of this version is made of."""
    bom = Bom()
    bom.metadata.component = Component(
        name="asrsite",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="asrsite",
        licenses=[LicenseFactory().make_from_string("MIT")],
    )
    found = [*packages(), *weights()]
    for component in found:
        bom.components.add(component)
    bom.register_dependency(bom.metadata.component, found)
    return bom


def packages() -> Iterator[Component]:
    """Yield the packages, each with the hashes of all files that it may be installed from."""
    text = (licences.ROOT / LOCK).read_text()
    for name, version, marker, hashes in _ENTRY.findall(text):
        yield _package(name, version, _HASH.findall(hashes), is_always=";" not in marker)
    [torch] = re.findall(r"^torch==(\S+)", (licences.ROOT / "requirements.txt").read_text(), re.M)
    yield _package("torch", torch, [], is_always=True)


def _package(name: str, version: str, hashes: list[str], *, is_always: bool) -> Component:
    address = PackageURL("pypi", name=name, version=version)
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=str(address),
        purl=address,
        scope=ComponentScope.REQUIRED if is_always else ComponentScope.OPTIONAL,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in hashes],
        licenses=[LicenseFactory().make_from_string(licences.licence(name))],
    )


def weights() -> Iterator[Component]:
    """Yield the weights that model sets name by their hashes, each once."""
    seen = set()
    for set_name in model_set_names():
        for source in read_model_set(set_name).sources.values():
            for file in source.files.values():
                if file.sha256 not in seen:
                    seen.add(file.sha256)
                    yield _weights(f"{set_name}/{file.name}", file.sha256, source.licence)


def _weights(name: str, sha256: str, licence: str) -> Component:
    return Component(
        name=name,
        version=sha256[:16],
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"weights:{sha256}",
        scope=ComponentScope.OPTIONAL,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
        licenses=[LicenseFactory().make_from_string(licence)],
    )


def as_json(bom: Bom) -> str:
    """Return a bill as a file has it.

    Raises:
        ValueError: If CycloneDX's own schema does not allow it.
    """
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"the bill of materials is not valid: {error}")
    return text + "\n"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"asrsite-{__version__}.cdx.json"
    file.write_text(as_json(bill()))
    print(file)


if __name__ == "__main__":
    main(Path(*sys.argv[1:] or ["dist"]))
