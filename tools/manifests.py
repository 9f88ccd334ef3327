"""Write a JSON schema for each kind of the Kubernetes API: manifests.py swagger.json FOLDER."""

import json
import pathlib
import sys


def closed(schema):
    """An object may hold the fields that are defined and no others."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for value in schema.values():
            closed(value)


def main(swagger, folder):
    definitions = json.loads(pathlib.Path(swagger).read_text())["definitions"]
    for name, schema in definitions.items():
        closed(schema)
        if name.endswith(".IntOrString"):
            definitions[name] = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    out = pathlib.Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    (out / "definitions.json").write_text(json.dumps({"definitions": definitions}).replace("#/definitions/", "definitions.json#/definitions/"))
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", []):
            group = kind["group"].split(".")[0]
            file = "-".join(part for part in (kind["kind"].lower(), group, kind["version"]) if part) + ".json"
            (out / file).write_text(json.dumps({"$ref": f"definitions.json#/definitions/{name}"}))


if __name__ == "__main__":
    main(*sys.argv[1:])
