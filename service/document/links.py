"""What can be asked next about what was just made, as links of OpenAPI: for whoever reads the document, and for the
tests that walk along it."""

from typing import Any

# From an operation, by the status of its answer, to others: their parameters, taken from the answer's body.
_BODY = "$response.body#/"
LINKS: dict[tuple[str, str], dict[str, dict[str, str]]] = {
    ("create_gallery", "201"): {
        "show_gallery": {"gallery": "name"},
        "list_subjects": {"gallery": "name"},
        "list_templates": {"gallery": "name"},
        "enroll": {"gallery": "name"},
        "show_calibration": {"gallery": "name"},
        "delete_gallery": {"gallery": "name"},
    },
    ("enroll", "201"): {
        "show_subject": {"gallery": "gallery", "subject": "subject"},
        "change_subject": {"gallery": "gallery", "subject": "subject"},
        "merge_subject": {"gallery": "gallery", "subject": "subject"},
        "move_to": {"gallery": "gallery", "subject": "subject"},
        "copy_subject": {"gallery": "gallery", "subject": "subject"},
        "show_skeleton": {"gallery": "gallery", "subject": "subject", "template": "template"},
        "erase_template": {"gallery": "gallery", "subject": "subject", "template": "template"},
        "erase_subject": {"gallery": "gallery", "subject": "subject"},
    },
    ("erase_subject", "200"): {"show_erasure": {"erasure": "erasure"}},
    ("erase_template", "200"): {"show_erasure": {"erasure": "erasure"}},
}
# Operations whose answer has an `id`, and those that take it as the one parameter of their path.
_BY_ID = ("/jobs", "/streams", "/webhooks", "/keys")


def write(document: dict[str, Any]) -> None:
    """Link what is in the document."""
    there = {each["operationId"]: each for methods in document["paths"].values() for each in methods.values()}
    for (source, status), targets in LINKS.items():
        for target, parameters in targets.items():
            if source in there and target in there:
                _link(there[source], status, there[target], parameters)
    for collection in _BY_ID:
        for maker, status in _makers(document, collection):
            for path, methods in document["paths"].items():
                if path.startswith(f"{collection}/{{"):
                    name = path.removeprefix(f"{collection}/{{").partition("}")[0]
                    for target in methods.values():
                        _link(maker, status, target, {name: "id"})


def _makers(document: dict[str, Any], collection: str) -> list[tuple[dict[str, Any], str]]:
    """Operations that make one of a collection: its own POST, and those that answer 202 with a job."""
    found = []
    for path, methods in document["paths"].items():
        made = methods.get("post", {})
        if path == collection and "201" in made.get("responses", {}):
            found.append((made, "201"))
        if collection == "/jobs" and "202" in made.get("responses", {}):
            found.append((made, "202"))
    return found


def _link(source: dict[str, Any], status: str, target: dict[str, Any], parameters: dict[str, str]) -> None:
    links = source["responses"][status].setdefault("links", {})
    taken = {name: _BODY + key for name, key in parameters.items()}
    links[target["operationId"]] = {"operationId": target["operationId"], "parameters": taken}
