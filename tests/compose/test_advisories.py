"""python3 -m unittest discover -s tests/compose"""

import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/check-advisories"
loader = importlib.machinery.SourceFileLoader("advisories", str(SCRIPT))
advisories = importlib.util.module_from_spec(importlib.util.spec_from_loader("advisories", loader))
loader.exec_module(advisories)

ADVISORY = """```toml
[advisory]
id = "RUSTSEC-2026-0001"
package = "thing"
{extra}
[versions]
patched = [">= 1.4.2", "^1.2.7, < 1.3"]
unaffected = ["< 1.1.0"]
```
# It breaks
"""


class Versions(unittest.TestCase):
    def test_ranges_hold_what_cargo_says(self):
        for version, requirement, expected in [
            ("1.4.2", ">= 1.4.2", True), ("1.4.2-rc.1", ">= 1.4.2", False), ("1.9.0", "^1.2", True), ("2.0.0", "^1.2", False),
            ("0.3.9", "^0.3.1", True), ("0.4.0", "^0.3.1", False), ("0.0.4", "^0.0.3", False), ("1.2.9", "~1.2.3", True),
            ("1.3.0", "~1.2.3", False), ("1.5.0", ">= 1.0, < 1.5", False), ("1.4.9", ">= 1.0, < 1.5", True), ("0.9.0", "= 0.9", True),
        ]:
            self.assertEqual(advisories.satisfies(version, requirement), expected, f"{version} {requirement}")

    def test_what_is_no_range_is_an_error(self):
        with self.assertRaises(ValueError):
            advisories.satisfies("1.0.0", "newer than 1")


class Findings(unittest.TestCase):
    def found(self, version, extra=""):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name) / "crates/thing"
            folder.mkdir(parents=True)
            (folder / "RUSTSEC-2026-0001.md").write_text(ADVISORY.format(extra=extra))
            locked = [{"name": "thing", "version": version}, {"name": "other", "version": "1.3.0"}]
            return [found[1] for found in advisories.findings(pathlib.Path(name), locked)]

    def test_only_versions_between_are_found(self):
        for version, expected in [("1.0.9", []), ("1.1.0", ["1.1.0"]), ("1.2.7", []), ("1.3.0", ["1.3.0"]), ("1.4.2", [])]:
            self.assertEqual(self.found(version), expected, version)

    def test_what_was_withdrawn_is_not_found(self):
        self.assertEqual(self.found("1.3.0", 'withdrawn = "2026-01-01"'), [])


if __name__ == "__main__":
    unittest.main()
