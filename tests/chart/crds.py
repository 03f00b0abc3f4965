"""What the custom resources of the chart may hold: the fields that it uses, by their operators' API references.

Kubernetes' own objects are checked against its published schemas; these have none there.
"""

TEXT = {"type": "string"}
TEXTS = {"type": "object", "additionalProperties": TEXT}


def closed(required=(), **properties):
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


def listed(item):
    return {"type": "array", "minItems": 1, "items": item}


DURATION = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h))+$"}

SPECS = {
    ("monitoring.coreos.com/v1", "ServiceMonitor"): closed(
        ["selector", "endpoints"],
        jobLabel=TEXT,
        targetLabels=listed(TEXT),
        selector=closed(matchLabels=TEXTS),
        endpoints=listed(closed(["port"], port=TEXT, path=TEXT, interval=DURATION)),
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): closed(
        ["groups"],
        groups=listed(closed(
            ["name", "rules"],
            name=TEXT,
            interval=DURATION,
            rules=listed({"anyOf": [
                closed(["alert", "expr"], alert=TEXT, expr=TEXT, **{"for": DURATION}, labels=TEXTS, annotations=TEXTS),
                closed(["record", "expr"], record=TEXT, expr=TEXT, labels=TEXTS),
            ]}),
        )),
    ),
    ("external-secrets.io/v1", "ExternalSecret"): closed(
        ["secretStoreRef", "target"],
        refreshInterval=DURATION,
        secretStoreRef=closed(["name"], name=TEXT, kind={"enum": ["SecretStore", "ClusterSecretStore"]}),
        target=closed(["name"], name=TEXT, creationPolicy={"enum": ["Owner", "Orphan", "Merge", "None"]}),
        dataFrom=listed(closed(["extract"], extract=closed(["key"], key=TEXT))),
    ),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): closed(
        ["parentRefs", "rules"],
        parentRefs=listed(closed(["name"], name=TEXT, namespace=TEXT, sectionName=TEXT)),
        hostnames=listed(TEXT),
        rules=listed(closed(
            matches=listed(closed(path=closed(type={"enum": ["Exact", "PathPrefix"]}, value=TEXT))),
            backendRefs=listed(closed(["name", "port"], name=TEXT, port={"type": "integer"})),
            timeouts=closed(request=DURATION, backendRequest=DURATION),
        )),
    ),
}
