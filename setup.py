"""Puts copies of ``rules/`` and ``docs/lints/`` into the package that is built; everything else is in ``pyproject.toml``."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithRules(build_py):
    """Builds the package, then copies rule sets and pages into it. An editable install reads them where they are."""

    def run(self) -> None:
        super().run()
        if not getattr(self, "editable_mode", False):
            package = Path(self.build_lib) / "claimedits"
            for source, target in (("rules", "_rules"), ("docs/lints", "_lints")):
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, package / target, dirs_exist_ok=True, ignore=ignore)


setup(cmdclass={"build_py": BuildWithRules})
