"""Holds the raw body of every answer against botocore's models, member by member."""

import json
import re
import xml.etree.ElementTree as ElementTree

import botocore.exceptions

from always import ALWAYS

ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Checker:
    """Looks at the raw body of every answer that passes through a client."""

    def __init__(self):
        self.violations = []
        self.walked = set()
        self.refused = set()
        # How many members of structures have been held against the shapes, and how many different ones.
        self.members_seen = 0
        self.paths = set()

    def watch(self, client):
        client.meta.events.register("after-call", self.after_call)
        return client

    def after_call(self, http_response, parsed, model, **_):
        if http_response.status_code == 200:
            self.walked.add(model.name)
        else:
            self.refused.add(model.name)
        if not http_response.headers.get("x-amzn-RequestId"):
            self.violate(model.name, "", "no header x-amzn-RequestId")
        if http_response.status_code != 200:
            return
        if model.service_model.service_name == "ecs":
            self.json(model, "", model.output_shape, json.loads(http_response.content))
        else:
            root = ElementTree.fromstring(http_response.content)
            wrapper = root.find(f"{{*}}{model.name}Result")
            if not root.tag.endswith(f"}}{model.name}Response") or wrapper is None:
                self.violate(model.name, "", f"is not wrapped as AWS does it: {root.tag}")
                return
            self.xml(model, "", model.output_shape, wrapper)

    def violate(self, operation, path, words):
        self.violations.append(f"{operation}{path}: {words}")

    def members(self, model, path, shape, names):
        self.members_seen += len(names)
        self.paths.update(f"{model.name}{path}.{name}" for name in names)
        for name in names:
            if name not in shape.members:
                self.violate(model.name, path, f"has {name}, which AWS has not")
        for name in [*ALWAYS.get(model.name, {}).get(path, []), *shape.required_members]:
            if name not in names:
                self.violate(model.name, path, f"lacks {name}")

    def enumeration(self, model, path, shape, value):
        values = getattr(shape, "enum", None)
        if values and value not in values:
            self.violate(model.name, path, f"is {value!r}, which is none of {', '.join(values)}")

    def json(self, model, path, shape, value):
        kinds = {
            "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool,
            "integer": int, "long": int, "double": (int, float), "float": (int, float), "timestamp": (int, float),
        }
        is_right = isinstance(value, kinds[shape.type_name])
        if isinstance(value, bool) and shape.type_name != "boolean":
            is_right = False
        if not is_right:
            self.violate(model.name, path, f"is {value!r}, not a {shape.type_name}")
        elif shape.type_name == "structure":
            self.members(model, path, shape, value)
            for name, inner in value.items():
                if name in shape.members:
                    self.json(model, f"{path}.{name}", shape.members[name], inner)
        elif shape.type_name == "list":
            for inner in value:
                self.json(model, f"{path}[]", shape.member, inner)
        elif shape.type_name == "map":
            for inner in value.values():
                self.members_seen += 1
                self.json(model, f"{path}{{}}", shape.value, inner)
        elif shape.type_name == "string":
            self.enumeration(model, path, shape, value)

    def xml(self, model, path, shape, element):
        text = element.text or ""
        if shape.type_name == "structure":
            inner = {child.tag.rpartition("}")[2]: child for child in element}
            if len(inner) != len(element):
                self.violate(model.name, path, "has a member twice")
            self.members(model, path, shape, inner)
            for name, child in inner.items():
                if name in shape.members:
                    self.xml(model, f"{path}.{name}", shape.members[name], child)
        elif shape.type_name == "list":
            for child in element:
                if child.tag.rpartition("}")[2] != "member":
                    self.violate(model.name, path, f"has <{child.tag}> where <member> should be")
                self.xml(model, f"{path}[]", shape.member, child)
        elif shape.type_name in ("integer", "long"):
            if not re.fullmatch(r"-?\d+", text):
                self.violate(model.name, path, f"is {text!r}, not a number")
        elif shape.type_name == "boolean":
            if text not in ("true", "false"):
                self.violate(model.name, path, f"is {text!r}, not a boolean")
        elif shape.type_name == "timestamp":
            if not ISO_8601.fullmatch(text):
                self.violate(model.name, path, f"is {text!r}, not a time")
        else:
            self.enumeration(model, path, shape, text)

    def refuses(self, call, code, words=None, **parameters):
        """The call is to be refused with this code, and with these words where they are known."""
        try:
            call(**parameters)
        except botocore.exceptions.ClientError as error:
            said = error.response["Error"]
            if said["Code"] != code or (words and said["Message"] != words):
                self.violate(call.__name__, "", f"refused with {said}, not with {code}: {words}")
            if not error.response["ResponseMetadata"].get("RequestId"):
                self.violate(call.__name__, "", "a refusal without a request id")
        else:
            self.violate(call.__name__, "", f"answered what AWS refuses with {code}: {parameters}")


def pages(check, client, operation, key, **parameters):
    """The whole list, in one page and in pages of one: both must say the same."""
    paginator = client.get_paginator(operation)
    # The world goes on between the two: only what differs again and again is a fault.
    for _ in range(5):
        whole = [item for page in paginator.paginate(**parameters) for item in page[key]]
        single = [
            item
            for page in paginator.paginate(PaginationConfig={"PageSize": 1}, **parameters)
            for item in page[key]
        ]
        if whole == single:
            return whole
    check.violate(operation, "", f"pages of one give {single}, one page gives {whole}")
    return whole
