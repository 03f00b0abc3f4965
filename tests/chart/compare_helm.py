"""Compares what Helm renders with what the stand-in renders, object by object."""

import subprocess
import sys

import yaml

from test_chart import CASES, CHART, named, objects_of, case_values

# Values that are made at random.
RANDOM = "Secret"


def rendered_by_helm(case, is_upgrade):
    command = ["helm", "template", "demo", str(CHART), "--namespace", "anwen", "--values", str(CHART / "ci" / f"{case}-values.yaml")]
    text = subprocess.run(command + ["--is-upgrade"] * is_upgrade, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [item for item in yaml.safe_load_all(text) if item]


def main():
    differs = False
    for case in CASES:
        for is_upgrade in (False, True):
            ours = {named(item): item for item in objects_of(case_values(case), is_upgrade=is_upgrade)}
            theirs = {named(item): item for item in rendered_by_helm(case, is_upgrade)}
            for name in sorted(ours.keys() | theirs.keys()):
                if not name.startswith(RANDOM) and ours.get(name) != theirs.get(name):
                    differs = True
                    print(f"{case}{', upgrade' if is_upgrade else ''}: {name} differs")
    sys.exit(differs)


if __name__ == "__main__":
    main()
