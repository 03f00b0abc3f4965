"""Writes helm/anwen/values.schema.json from values.yaml: every key that has a default is known, and none other.

    python3 tests/chart/make_schema.py

What a default does not say (which words a text may be, what is free in form) stands in the tables below.
"""

import json
import pathlib

import yaml

CHART = pathlib.Path(__file__).resolve().parent.parent.parent / "helm" / "anwen"
# Maps whose keys are anybody's.
FREE_MAPS = {"env", "nodeSelector", "affinity", "annotations", "labels", "resources", "ingressNamespaceLabels",
             "metricsNamespaceLabels", "namespaceLabels", "podLabels"}
QUANTITY = {"type": "string", "pattern": r"^[1-9][0-9]*(\.[0-9]+)?(Mi|Gi|Ti|M|G|T)$"}
CIDRS = {"type": "array", "items": {"type": "string", "pattern": r"^[0-9a-fA-F.:]+/[0-9]{1,3}$"}}
BY_NAME = {
    "size": QUANTITY,
    "pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "accessMode": {"enum": ["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"]},
    "kind": {"enum": ["SecretStore", "ClusterSecretStore"]},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "cidrs": CIDRS,
    "trustedProxies": CIDRS,
    "targetCPUUtilizationPercentage": {"type": "integer", "minimum": 1, "maximum": 100},
    "maxUnavailable": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+%$"}]},
    "interval": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
    "refreshInterval": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
    "requestTimeout": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
    "env": {"type": "object", "additionalProperties": {"type": "string"},
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}},
    "tolerations": {"type": "array", "items": {"type": "object"}},
}
BY_PATH = {
    "originals.s3.url": {"type": "string", "pattern": r"^(s3://[^/]+(/.*)?)?$"},
    "qdrant.url": {"type": "string", "pattern": "^(https?://.+)?$"},
    "monitoring.tracesUrl": {"type": "string", "pattern": "^(https?://.+)?$"},
    "secrets.externalSecret.storeRef.name": {"type": "string"},
    "gateway.parentRefs": {"type": "array", "minItems": 1, "items": {
        "type": "object", "required": ["name"], "additionalProperties": False,
        "properties": {key: {"type": "string"} for key in ("name", "namespace", "sectionName")}}},
    "topologySpread": {"type": "array", "items": {
        "type": "object", "required": ["topologyKey", "maxSkew", "whenUnsatisfiable"], "additionalProperties": False,
        "properties": {"topologyKey": {"type": "string"}, "maxSkew": {"type": "integer", "minimum": 1},
                       "whenUnsatisfiable": {"enum": ["DoNotSchedule", "ScheduleAnyway"]}}}},
}


def schema_of(value, path=""):
    name = path.rsplit(".", 1)[-1]
    if path in BY_PATH:
        return BY_PATH[path]
    if name in BY_NAME:
        return BY_NAME[name]
    if isinstance(value, dict):
        if name in FREE_MAPS:
            return {"type": "object"}
        inner = {key: schema_of(item, f"{path}.{key}".lstrip(".")) for key, item in value.items()}
        if not path:
            # Helm puts these beside a chart's own when it is a part of another.
            inner["global"] = {"type": "object"}
        return {"type": "object", "additionalProperties": False, "properties": inner}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer", "minimum": 0}
    if isinstance(value, list):
        texts = all(isinstance(item, str) for item in value) and value
        return {"type": "array", "items": {"type": "string"}} if texts else {"type": "array"}
    return {"type": "string"}


def text():
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of the chart anwen"}
    schema |= schema_of(yaml.safe_load((CHART / "values.yaml").read_text()))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (CHART / "values.schema.json").write_text(text())
