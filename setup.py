"""The packages of a wheel. All else about it stands in pyproject.toml.

templates/, static/ and locale/ lie beside the packages here, and in `asrsite` once it is installed:
`asrsite.settings` finds them in both places.
"""

from setuptools import find_packages, setup

APPLICATIONS = ["asrsite", "sessions_app", "speakers", "minutes", "recognition", "audit"]
RESOURCES = ["templates", "static", "locale"]

setup(
    packages=[
        *find_packages(include=[*APPLICATIONS, *(f"{name}.*" for name in APPLICATIONS)]),
        *(f"asrsite.{name}" for name in RESOURCES),
    ],
    package_dir={f"asrsite.{name}": name for name in RESOURCES},
    package_data={"": ["**/*"]},
    exclude_package_data={"": ["**/*.pyc"]},
)
