"""Dashboards, rules and scrape settings: what they are made from, that their queries can be read, and that the metrics that
they name are measured. tests/e2e/metrics.rs compares the same names with what running services export."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MONITORING = ROOT / "monitoring"
sys.path.insert(0, str(MONITORING))
import make_dashboards  # noqa: E402


def dashboard_queries():
    for path in sorted((MONITORING / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']}", target["expr"]


class Dashboards(unittest.TestCase):
    def test_the_files_are_what_the_tables_make(self):
        names = {path.stem for path in (MONITORING / "dashboards").glob("*.json")}
        self.assertEqual(names, set(make_dashboards.DASHBOARDS))
        for name in names:
            stored = (MONITORING / "dashboards" / f"{name}.json").read_text()
            self.assertEqual(stored, make_dashboards.text(name), "run monitoring/make_dashboards.py")

    def test_panels_have_places_and_numbers_of_their_own(self):
        for name in make_dashboards.DASHBOARDS:
            panels = make_dashboards.dashboard(name)["panels"]
            self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
            self.assertEqual(len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}), len(panels))

    def test_the_chart_carries_every_dashboard(self):
        template = (ROOT / "helm" / "anwen" / "templates" / "monitoring.yaml").read_text()
        listed = re.search(r"range \$file := list ([^}]*)}}", template).group(1)
        self.assertEqual(set(json.loads(f"[{listed.strip().replace(' ', ',')}]")), set(make_dashboards.DASHBOARDS))

    def test_prometheus_reads_every_query(self):
        rules = [
            {"record": f"query:number{number}", "expr": query.replace("$__rate_interval", "5m")}
            for number, (_, query) in enumerate(dashboard_queries())
        ]
        self.assertEqual(self.check(rules).returncode, 0, self.check(rules).stdout)
        broken = self.check([{"record": "query:broken", "expr": "sum(rate(x[5m])"}])
        self.assertNotEqual(broken.returncode, 0, "promtool takes anything")

    def check(self, rules):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}, file)
            file.flush()
            command = ["promtool", "check", "rules", "--lint=none", file.name]
            return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Rules(unittest.TestCase):
    def test_every_alert_is_tested_to_fire_and_to_be_silent(self):
        groups = yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"]
        alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
        quiet, loud = yaml.safe_load((ROOT / "tests/monitoring/rules.test.yaml").read_text())["tests"]
        silent = {test["alertname"] for test in quiet["alert_rule_test"] if not test.get("exp_alerts")}
        fired = set(re.findall(r'alertname="(\w+)"', json.dumps(loud["promql_expr_test"]).replace("\\", "")))
        self.assertEqual(silent, alerts)
        self.assertEqual(fired, alerts)

    def test_every_alert_says_what_and_what_to_do(self):
        for group in yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    self.assertIn(rule["labels"]["severity"], ("critical", "warning", "info"))
                    self.assertLessEqual({"summary", "cure"}, rule["annotations"].keys(), rule["alert"])

    def test_promtool_takes_rules_tests_and_settings(self):
        for command in (
            ["promtool", "check", "rules", "monitoring/rules.yaml"],
            ["promtool", "check", "config", "--syntax-only", "monitoring/prometheus.yaml"],
            ["promtool", "test", "rules", "tests/monitoring/rules.test.yaml"],
        ):
            result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual(result.returncode, 0, result.stdout)


if __name__ == "__main__":
    unittest.main()
