"""What the chart renders: checked against Kubernetes' schemas, against itself, against the program, and against snapshots."""

import difflib
import functools
import json
import os
import pathlib
import re
import tomllib
import unittest

import jsonschema
import kubernetes_validate
import yaml

import crds
import gotemplate
import make_schema
from gotemplate import TemplateError, render_chart

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "helm" / "anwen"
SNAPSHOTS = pathlib.Path(__file__).resolve().parent / "snapshots"
# The oldest and the newest version that is checked; Chart.yaml names the oldest.
KUBERNETES = ("1.30", "1.33")
# It reads its files anew for each object.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)
kubernetes_validate.utils.all_versions = functools.cache(kubernetes_validate.utils.all_versions)
CASES = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))


def case_values(name):
    return yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text()) or {}


def objects_of(values, **release):
    """Every object that is rendered."""
    rendered = render_chart(CHART, values, **release)
    texts = [text for name, text in rendered.items() if name.endswith(".yaml")]
    return [item for text in texts for item in yaml.safe_load_all(text) if item]


@functools.cache
def case(name, is_upgrade=False):
    return objects_of(case_values(name), is_upgrade=is_upgrade)


def every_case():
    for name in CASES:
        for is_upgrade in (False, True):
            yield f"{name}, {'upgrade' if is_upgrade else 'install'}", case(name, is_upgrade)


def named(item):
    return f"{item['kind']}/{item['metadata']['name']}"


def of_kind(items, *kinds):
    return [item for item in items if item["kind"] in kinds]


def pods(items):
    """Each workload with its pod."""
    return [(named(item), item["spec"]["template"]) for item in of_kind(items, "Deployment", "StatefulSet", "Job")]


def matches(selector, labels):
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", selector).items())


def variables(container):
    return {entry["name"]: entry for entry in container.get("env", [])}


class Schemas(unittest.TestCase):
    def test_each_object_follows_the_schema_of_its_kind(self):
        # Most objects are the same in several cases, and the schemas are large.
        objects = {json.dumps(item, sort_keys=True): (title, item) for title, items in every_case() for item in items}
        for title, item in objects.values():
            with self.subTest(case=title, object=named(item)):
                key = (item["apiVersion"], item["kind"])
                if key in crds.SPECS:
                    jsonschema.validate(item["spec"], crds.SPECS[key])
                    continue
                for version in KUBERNETES:
                    kubernetes_validate.validate(item, version, strict=True)

    def test_a_field_that_kubernetes_does_not_know_is_found(self):
        deployment = json.loads(json.dumps(of_kind(case("default"), "Deployment")[0]))
        deployment["spec"]["template"]["spec"]["containers"][0]["imagePullpolicy"] = "Always"
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(deployment, KUBERNETES[0], strict=True)

    def test_the_schema_of_the_values_is_the_one_that_is_written_from_them(self):
        self.assertEqual((CHART / "values.schema.json").read_text(), make_schema.text(), "run tests/chart/make_schema.py")

    def test_the_values_follow_their_schema(self):
        schema = json.loads((CHART / "values.schema.json").read_text())
        defaults = yaml.safe_load((CHART / "values.yaml").read_text())
        for name in CASES:
            jsonschema.validate(gotemplate.merged(defaults, case_values(name)), schema)

    def test_wrong_values_are_refused(self):
        schema = json.loads((CHART / "values.schema.json").read_text())
        for wrong in (
            {"web": {"replica": 2}},
            {"web": {"replicas": "2"}},
            {"originals": {"s3": {"url": "https://bucket"}}},
            {"knowledge": {"persistence": {"size": "20 GB"}}},
            {"image": {"pullPolicy": "Sometimes"}},
            {"postgresql": {"egress": {"cidrs": ["10.0.0.1"]}}},
            {"env": {"A": 1}},
        ):
            with self.subTest(wrong=wrong), self.assertRaises(jsonschema.ValidationError):
                jsonschema.validate(wrong, schema)


class Refusals(unittest.TestCase):
    def test_what_cannot_work_is_refused_with_the_key_to_set(self):
        for values, key in (
            ({"qdrant": {"bundled": False}}, "qdrant.url"),
            ({"postgresql": {"bundled": False}}, "secrets.existingSecret"),
            ({"originals": {"s3": {"url": "s3://bucket"}}}, "secrets.existingSecret"),
            ({"secrets": {"existingSecret": "a", "externalSecret": {"enabled": True}}}, "not both"),
            ({"secrets": {"externalSecret": {"enabled": True}}}, "storeRef.name"),
        ):
            with self.subTest(values=values), self.assertRaisesRegex(TemplateError, re.escape(key)):
                objects_of(values)


class Security(unittest.TestCase):
    def test_every_pod_keeps_to_the_restricted_standard_with_a_read_only_root(self):
        for title, items in every_case():
            for name, pod in pods(items):
                spec = pod["spec"]
                context = spec["securityContext"]
                with self.subTest(case=title, pod=name):
                    self.assertIs(context["runAsNonRoot"], True)
                    self.assertGreater(context["runAsUser"], 0)
                    self.assertEqual(context["seccompProfile"], {"type": "RuntimeDefault"})
                    self.assertIs(spec["automountServiceAccountToken"], False)
                    self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & spec.keys())
                    kinds = {key for volume in spec["volumes"] for key in volume} - {"name"}
                    self.assertLessEqual(kinds, {"configMap", "secret", "emptyDir", "persistentVolumeClaim"})
                    for container in spec["containers"] + spec.get("initContainers", []):
                        self.assertEqual(container["securityContext"], {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        })

    def test_every_container_says_what_it_needs_and_what_it_may_take(self):
        for title, items in every_case():
            for name, pod in pods(items):
                for container in pod["spec"]["containers"]:
                    with self.subTest(case=title, pod=name):
                        resources = container["resources"]
                        self.assertLessEqual({"cpu", "memory"}, resources["requests"].keys())
                        self.assertIn("memory", resources["limits"])

    def test_no_secret_stands_in_the_environment_of_our_services(self):
        for title, items in every_case():
            for name, pod in pods(items):
                for container in pod["spec"]["containers"]:
                    for variable, entry in variables(container).items():
                        if re.search(r"(SECRET|TOKEN|API_KEY)$", variable) and variable.startswith("ANWEN__"):
                            self.fail(f"{title}: {name}: {variable} should be given as {variable}_FILE")

    def test_every_key_of_the_secret_that_is_used_is_made(self):
        made = next(item for item in of_kind(case("default"), "Secret"))
        used = set()
        for _, pod in pods(case("default")):
            for container in pod["spec"]["containers"]:
                for entry in container["env"]:
                    if "valueFrom" in entry and "secretKeyRef" in entry["valueFrom"]:
                        used.add(entry["valueFrom"]["secretKeyRef"]["key"])
                    if str(entry.get("value", "")).startswith("/run/secrets/anwen/"):
                        used.add(entry["value"].rsplit("/", 1)[1])
        self.assertEqual(used, set(made["stringData"]))

    def test_the_made_secret_outlives_upgrades_and_removal(self):
        made = of_kind(case("default"), "Secret")[0]["metadata"]["annotations"]
        self.assertEqual(made["helm.sh/hook"], "pre-install")
        self.assertEqual(made["helm.sh/resource-policy"], "keep")
        self.assertNotIn("helm.sh/hook-delete-policy", made)


class Consistency(unittest.TestCase):
    def test_names_are_unique_and_short_enough(self):
        for title, items in every_case():
            names = [named(item) for item in items]
            self.assertEqual(len(names), len(set(names)), title)
            for item in items:
                self.assertLessEqual(len(item["metadata"]["name"]), 63, named(item))

    def test_services_reach_a_port_of_some_pod(self):
        for title, items in every_case():
            for service in of_kind(items, "Service"):
                with self.subTest(case=title, service=named(service)):
                    found = [pod for _, pod in pods(items) if matches(service["spec"]["selector"], pod["metadata"]["labels"])]
                    self.assertEqual(len(found), 1)
                    ports = {port["name"] for port in found[0]["spec"]["containers"][0]["ports"]}
                    self.assertLessEqual({port["targetPort"] for port in service["spec"]["ports"]}, ports)

    def test_what_is_mounted_and_claimed_is_there(self):
        for title, items in every_case():
            claims = {item["metadata"]["name"] for item in of_kind(items, "PersistentVolumeClaim")}
            for item in of_kind(items, "Deployment", "StatefulSet", "Job"):
                spec = item["spec"]["template"]["spec"]
                templates = [claim["metadata"]["name"] for claim in item["spec"].get("volumeClaimTemplates", [])]
                volumes = [volume["name"] for volume in spec["volumes"]] + templates
                with self.subTest(case=title, workload=named(item)):
                    self.assertEqual(len(volumes), len(set(volumes)))
                    for container in spec["containers"]:
                        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
                        self.assertEqual(len(mounts), len(set(mounts)))
                        self.assertEqual({mount["name"] for mount in container["volumeMounts"]}, set(volumes))
                    for volume in spec["volumes"]:
                        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
                        self.assertTrue(claim is None or claim in claims or claim == "shared-models", claim)

    def test_scalers_and_budgets_name_workloads_that_are_there(self):
        for title, items in every_case():
            workloads = {named(item): item for item in of_kind(items, "Deployment", "StatefulSet")}
            for scaler in of_kind(items, "HorizontalPodAutoscaler"):
                target = scaler["spec"]["scaleTargetRef"]
                workload = workloads[f"{target['kind']}/{target['name']}"]
                self.assertNotIn("replicas", workload["spec"], f"{title}: a fixed number would undo the scaler's")
            for budget in of_kind(items, "PodDisruptionBudget"):
                selector = budget["spec"]["selector"]
                found = [pod for _, pod in pods(items) if matches(selector, pod["metadata"]["labels"])]
                self.assertEqual(len(found), 1, f"{title}: {named(budget)}")

    def test_a_roll_takes_no_pod_away_before_the_next_one_is_ready(self):
        for title, items in every_case():
            for deployment in of_kind(items, "Deployment"):
                self.assertEqual(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0)
            for name, pod in pods(items):
                container = pod["spec"]["containers"][0]
                if container["name"] in ("web", "knowledge", "search-proxy", "model-runtime"):
                    self.assertEqual(container["livenessProbe"]["httpGet"]["path"], "/healthz")
                    self.assertEqual(container["readinessProbe"]["httpGet"]["path"], "/readyz")
                    # Longer than the pause in which others still send requests.
                    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
                    self.assertGreater(pod["spec"].get("terminationGracePeriodSeconds", 30), pause, f"{title}: {name}")

    def test_a_pod_has_more_time_to_end_than_its_program_takes_to_finish(self):
        example = (ROOT / "anwen.example.toml").read_text()
        finish = [int(seconds) for seconds in re.findall(r"(?m)^# finish_seconds = (\d+)$", example)]
        self.assertEqual(len(finish), 2, "one of web's answers, one of the model runtime")
        grace = {
            pod["spec"]["containers"][0]["name"]: pod["spec"].get("terminationGracePeriodSeconds", 30)
            for _, pod in pods(case("default"))
        }
        pause = 5
        self.assertGreater(grace["web"], finish[0] + pause)
        self.assertGreater(grace["model-runtime"], finish[1] + pause)

    def test_migrations_run_before_an_upgrade_and_beside_the_first_start(self):
        for is_upgrade in (False, True):
            job = of_kind(case("default", is_upgrade), "Job")[0]
            hook = job["metadata"].get("annotations", {}).get("helm.sh/hook")
            self.assertEqual(hook, "pre-upgrade" if is_upgrade else None)
            container = job["spec"]["template"]["spec"]["containers"][0]
            self.assertEqual(container["args"], ["migrate"])
            self.assertIn("/data", [mount["mountPath"] for mount in container["volumeMounts"]], "for the copy before")


class Network(unittest.TestCase):
    """The policies allow what pods are told to call, and nothing that nobody named."""

    def calls(self, items):
        """Who is told to call which service: labels of the caller, of the called, and the port."""
        services = {item["metadata"]["name"]: item for item in of_kind(items, "Service")}
        for _, pod in pods(items):
            for container in pod["spec"]["containers"]:
                for entry in container.get("env", []):
                    found = re.search(r"//(?:[^@/]*@)?([a-z0-9-]+):(\d+)", str(entry.get("value", "")))
                    if found and found.group(1) in services:
                        selector = services[found.group(1)]["spec"]["selector"]
                        yield entry["name"], pod["metadata"]["labels"], selector, int(found.group(2))

    # Addresses that every service is told, and that these do not call.
    UNUSED = {
        ("ANWEN__SERVICES__KNOWLEDGE", role) for role in ("knowledge", "workers", "model-runtime", "migrations")
    } | {
        ("ANWEN__SERVICES__MODEL_RUNTIME", role) for role in ("model-runtime", "migrations")
    } | {
        ("ANWEN__SERVICES__SEARCH_PROXY", role)
        for role in ("search-proxy", "knowledge", "workers", "model-runtime", "migrations")
    }

    def allows(self, items, direction, own, other, port):
        peer = "to" if direction == "Egress" else "from"
        for policy in of_kind(items, "NetworkPolicy"):
            spec = policy["spec"]
            if direction not in spec["policyTypes"] or not matches(spec["podSelector"], own):
                continue
            for rule in spec.get(direction.lower(), []):
                ports = [entry["port"] for entry in rule.get("ports", [])]
                if port in ports and any(
                    "podSelector" in entry and "namespaceSelector" not in entry and matches(entry["podSelector"], other)
                    for entry in rule.get(peer, [])
                ):
                    return True
        return False

    def test_each_call_is_allowed_on_both_sides_and_every_other_forbidden(self):
        for title, items in every_case():
            if not of_kind(items, "NetworkPolicy"):
                continue
            for variable, caller, called, port in self.calls(items):
                role = caller["app.kubernetes.io/component"]
                is_used = (variable, role) not in self.UNUSED
                with self.subTest(case=title, variable=variable, caller=role):
                    self.assertEqual(self.allows(items, "Egress", caller, called, port), is_used)
                    self.assertEqual(self.allows(items, "Ingress", called, caller, port), is_used)

    def test_the_rest_is_denied_and_nothing_reaches_the_internet_by_default(self):
        items = case("default")
        default = next(item for item in of_kind(items, "NetworkPolicy") if item["metadata"]["name"].endswith("-default"))
        self.assertEqual(default["spec"]["policyTypes"], ["Ingress", "Egress"])
        self.assertNotIn("ingress", default["spec"])
        for name, pod in pods(items):
            self.assertTrue(matches(default["spec"]["podSelector"], pod["metadata"]["labels"]), name)
        for policy in of_kind(items, "NetworkPolicy"):
            for rule in policy["spec"].get("egress", []):
                self.assertTrue(rule.get("to"), named(policy))
                for peer in rule["to"]:
                    self.assertNotIn("ipBlock", peer, named(policy))

    def test_a_named_way_out_is_of_the_service_that_it_is_named_for(self):
        out = {item["metadata"]["name"] for item in of_kind(case("production"), "NetworkPolicy")
               if item["metadata"]["name"].endswith("-out")}
        self.assertEqual(out, {"demo-anwen-knowledge-out", "demo-anwen-workers-out", "demo-anwen-search-proxy-out"})


class Program(unittest.TestCase):
    def test_each_variable_is_a_setting_of_the_program(self):
        text = (ROOT / "anwen.example.toml").read_text()
        shown = re.sub(r"(?m)^#\s?([a-z][a-z0-9_]*\s*=\s*\S.*|\[[a-z_.]+\])$", r"\1", text)
        known = set()

        def collect(table, path):
            for key, value in table.items():
                known.add(".".join([*path, key]))
                if isinstance(value, dict):
                    collect(value, [*path, key])

        collect(tomllib.loads(shown), [])
        for title, items in every_case():
            for name, pod in pods(items):
                for container in pod["spec"]["containers"]:
                    for variable in variables(container):
                        if variable.startswith("ANWEN__"):
                            key = ".".join(variable.lower().split("__")[1:])
                            is_known = key in known or key.removesuffix("_file") in known
                            self.assertTrue(is_known, f"{title}: {name}: {variable}")

    def test_the_settings_file_is_toml(self):
        for _, items in every_case():
            for config in of_kind(items, "ConfigMap"):
                if "anwen.toml" in config["data"]:
                    tomllib.loads(config["data"]["anwen.toml"])


class Snapshots(unittest.TestCase):
    """Whole renderings, so that a change of a template shows what it changes. UPDATE_SNAPSHOTS=1 writes them anew."""

    def test_the_renderings_are_the_stored_ones(self):
        for name in CASES:
            for is_upgrade in (False, True):
                rendered = render_chart(CHART, case_values(name), is_upgrade=is_upgrade)
                parts = []
                for template, text in sorted(rendered.items()):
                    # Dashboards and rules are files of their own; here their place counts.
                    lines = [line.rstrip() for line in text.strip().splitlines()]
                    if template == "monitoring.yaml":
                        lines = shortened(lines)
                    if lines:
                        parts.append(f"# {template}\n" + "\n".join(lines) + "\n")
                path = SNAPSHOTS / f"{name}-{'upgrade' if is_upgrade else 'install'}.yaml"
                text = "\n".join(parts)
                if os.environ.get("UPDATE_SNAPSHOTS"):
                    path.write_text(text)
                stored = path.read_text() if path.is_file() else ""
                if stored != text:
                    difference = difflib.unified_diff(stored.splitlines(), text.splitlines(), "stored", "now", lineterm="", n=1)
                    self.fail(f"{path.name}: look at it, then UPDATE_SNAPSHOTS=1 tests/chart/run\n" + "\n".join(list(difference)[:60]))


def shortened(lines):
    """Without the bodies of the files that are put in."""
    kept, hides = [], None
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if hides is not None and (not line or depth > hides):
            continue
        hides = None
        kept.append(line)
        if line.endswith(".json: |") or line.strip() == "groups:":
            hides = depth
            kept.append(" " * (depth + 2) + "# the file's text")
    return kept


class Renderer(unittest.TestCase):
    """The stand-in itself, by examples from the documentation of Go's templates."""

    def render(self, text, dot=None):
        defines = {}
        nodes = gotemplate.Parser("test", text, defines).parse()
        return gotemplate.Renderer(defines, lambda name: "").run(nodes, dot if dot is not None else {})

    def test_it_renders_as_go_does(self):
        for text, expected in (
            ("{{23 -}} < {{- 45}}", "23<45"),
            ('{{"output" | printf "%s" | quote}}', '"output"'),
            ('{{with $x := "output" | printf "%s"}}{{$x}}{{end}}', "output"),
            ('{{if eq "a" "b"}}x{{else if eq "a" "a"}}y{{else}}z{{end}}', "y"),
            ('{{range $k, $v := dict "b" 2 "a" 1}}{{$k}}{{$v}}{{end}}', "a1b2"),
            ('{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}', "2"),
            ('{{$x := 1}}{{if true}}{{$x := 2}}{{end}}{{$x}}', "1"),
            ('{{define "T"}}[{{.}}]{{end}}{{include "T" "x"}}', "[x]"),
            ('{{/* nothing */ -}}  x', "x"),
            ('{{(dict "a" (dict "b" 1)).a.b}}', "1"),
            ('a:{{toYaml (dict "k" (list 1 "x")) | nindent 2}}', "a:\n  k:\n  - 1\n  - x"),
            ('{{not (and true "")}}', "true"),
        ):
            self.assertEqual(self.render(text), expected, text)

    def test_it_refuses_what_it_does_not_know(self):
        for text in ("{{lookup 1}}", "{{.a.b}}", "{{.missing}}", "{{if true}}", "{{$y}}", "{{printf \"%q\" 1}}", "{{template \"x\"}}"):
            with self.subTest(text=text), self.assertRaises(TemplateError):
                self.render(text)


if __name__ == "__main__":
    unittest.main()
