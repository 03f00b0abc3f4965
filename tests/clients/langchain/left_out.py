"""Which of the integration tests in langchain-ollama's source package are left out, and why.

Loaded by pytest. A name that matches no test fails the run, so that the list stays true to the pinned version.
"""

# test's name -> why it is left out
LEFT_OUT = {
    "test_image_inputs": "fetches its picture from the internet; python/test_langchain.py sends one of its own",
}


def pytest_collection_modifyitems(config, items):
    met = set()
    kept, dropped = [], []
    for item in items:
        name = getattr(item, "originalname", None) or item.name
        (dropped if name in LEFT_OUT else kept).append(item)
        met |= {name} & LEFT_OUT.keys()
    unknown = LEFT_OUT.keys() - met
    if unknown:
        raise RuntimeError(f"no such tests: {sorted(unknown)}")
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept
