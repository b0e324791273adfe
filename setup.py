"""Put `seeds/` and `docs/`, which lie at the top of the repository, into a wheel."""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithFolders(build_py):
    """Puts `seeds/` and `docs/` into the package, where `api/core/project_folders.py` looks."""

    def run(self):
        super().run()
        if not self.editable_mode:
            for name in ("seeds", "docs"):
                copytree(name, Path(self.build_lib, "api", name), dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithFolders})
