"""Renders the part of Go's templates that the chart uses, with the functions of Helm that it calls.

A stand-in for `helm template`, which not every machine has. It knows less than Go and says so: what it does not know is an
error, and so is printing a value that is not there. Where Helm is installed, tests/chart/run compares the two.

Source of the rules: the documentation of Go's text/template and Helm's list of template functions.
"""

import hashlib
import json
import re

import yaml


class TemplateError(Exception):
    pass


# --- Reading -----------------------------------------------------------------------------------------------------------

ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|(?P<assign>:=)|(?P<set>=)"""
    r"""|(?P<punctuation>[()|,])|(?P<variable>\$\w*)|(?P<field>(?:\.\w+)+)|(?P<dot>\.)|(?P<word>\w+))""",
    re.VERBOSE,
)


def pieces(text):
    """Texts and actions in turn, the spaces trimmed as the actions ask."""
    position, trims = 0, False
    for found in ACTION.finditer(text):
        before = text[position:found.start()]
        if trims:
            before = before.lstrip()
        if found.group(1):
            before = before.rstrip()
        yield "text", before
        body = found.group(2).strip()
        if not body.startswith("/*"):
            yield "action", body
        position, trims = found.end(), bool(found.group(3))
    rest = text[position:]
    yield "text", rest.lstrip() if trims else rest


def tokens(action):
    found, position = [], 0
    while position < len(action.rstrip()):
        match = TOKEN.match(action, position)
        if not match:
            raise TemplateError(f"cannot read {action[position:]!r} in {action!r}")
        adjacent = match.start(match.lastgroup) == position
        found.append((match.lastgroup, match.group(match.lastgroup), adjacent))
        position = match.end()
    return found


class Parser:
    def __init__(self, name, text, defines):
        self.name, self.stream, self.defines = name, list(pieces(text)), defines
        self.at = 0

    def parse(self):
        body, end = self.block(())
        if end is not None:
            raise TemplateError(f"{self.name}: unexpected {end}")
        return body

    def block(self, ends):
        nodes = []
        while self.at < len(self.stream):
            kind, value = self.stream[self.at]
            self.at += 1
            if kind == "text":
                nodes.append(("text", value))
                continue
            word = value.split(None, 1)[0]
            rest = value[len(word):].strip()
            if word in ends:
                return nodes, value
            if word == "define":
                body, _ = self.block(("end",))
                self.defines[json.loads(rest)] = body
            elif word in ("if", "with", "range"):
                nodes.append(self.branch(word, rest))
            elif word in ("end", "else", "template", "block", "break", "continue"):
                raise TemplateError(f"{self.name}: {word} is not known here: {value}")
            else:
                nodes.append(("print", self.pipeline(value)))
        if ends:
            raise TemplateError(f"{self.name}: no end")
        return nodes, None

    def branch(self, word, rest):
        condition = self.pipeline(rest)
        body, end = self.block(("else", "end"))
        otherwise = []
        if end.startswith("else"):
            again = end[4:].strip()
            if again:
                inner = again.split(None, 1)
                otherwise = [self.branch(inner[0], inner[1])]
            else:
                otherwise, _ = self.block(("end",))
        return (word, condition, body, otherwise)

    def pipeline(self, text):
        """Variables that are set, whether they are new, and the commands whose results are handed on."""
        parts = tokens(text)
        names, declares = [], False
        for index, (kind, _, _) in enumerate(parts):
            if kind in ("assign", "set"):
                names = [value for group, value, _ in parts[:index] if group == "variable"]
                declares, parts = kind == "assign", parts[index + 1:]
                break
        commands, rest = self.commands(parts)
        if rest:
            raise TemplateError(f"{self.name}: cannot read the end of {text!r}")
        return names, declares, commands

    def commands(self, parts):
        commands, current = [], []
        while parts:
            kind, value, adjacent = parts[0]
            parts = parts[1:]
            if kind == "punctuation" and value == ")":
                break
            if kind == "punctuation" and value == "|":
                commands.append(current)
                current = []
            elif kind == "punctuation" and value == "(":
                inner, parts = self.commands(parts)
                current.append(("group", inner))
            elif kind == "field" and adjacent and current and current[-1][0] in ("variable", "group"):
                current[-1] = ("fields", current[-1], value)
            else:
                current.append((kind, value))
        commands.append(current)
        return commands, parts


# --- Rendering ---------------------------------------------------------------------------------------------------------


class Scope:
    """Variables, those of the surrounding blocks included."""

    def __init__(self, outer=None):
        self.outer, self.values = outer, {}

    def find(self, name):
        scope = self
        while scope is not None:
            if name in scope.values:
                return scope
            scope = scope.outer
        raise TemplateError(f"variable {name} is not set")


class Renderer:
    def __init__(self, defines, files):
        self.defines, self.files = defines, files
        self.random = 0

    def run(self, nodes, dot):
        scope = Scope()
        scope.values["$"] = dot
        out = []
        self.render(nodes, dot, scope, out)
        return "".join(out)

    def render(self, nodes, dot, scope, out):
        for node in nodes:
            if node[0] == "text":
                out.append(node[1])
            elif node[0] == "print":
                names, _, _ = node[1]
                value = self.value(node[1], dot, scope)
                if not names:
                    out.append(printed(value))
            else:
                self.branch(node, dot, scope, out)

    def branch(self, node, dot, scope, out):
        word, condition, body, otherwise = node
        inner = Scope(scope)
        if word == "range":
            return self.loop(node, dot, scope, out)
        value = self.value(condition, dot, inner)
        if truth(value):
            self.render(body, value if word == "with" else dot, inner, out)
        else:
            self.render(otherwise, dot, inner, out)

    def loop(self, node, dot, scope, out):
        _, (names, declares, commands), body, otherwise = node
        value = self.value(([], False, commands), dot, scope)
        if isinstance(value, dict):
            items = [(key, value[key]) for key in sorted(value)]
        elif isinstance(value, list):
            items = list(enumerate(value))
        elif value is None:
            items = []
        else:
            raise TemplateError(f"range over {type(value).__name__}")
        for key, item in items:
            inner = Scope(scope)
            inner.values.update(zip(names, (key, item) if len(names) == 2 else (item,)))
            self.render(body, item, inner, out)
        if not items:
            self.render(otherwise, dot, Scope(scope), out)

    def value(self, pipeline, dot, scope):
        names, declares, commands = pipeline
        value = self.chain(commands, dot, scope)
        for name in names:
            (scope if declares else scope.find(name)).values[name] = value
        return value

    def chain(self, commands, dot, scope):
        value, piped = None, ()
        for command in commands:
            value = self.command(command, dot, scope, piped)
            piped = (value,)
        return value

    def command(self, command, dot, scope, piped):
        if not command:
            raise TemplateError("an empty command")
        head = command[0]
        if head[0] == "word" and head[1] not in ("true", "false", "nil"):
            arguments = [self.operand(part, dot, scope) for part in command[1:]]
            return self.call(head[1], [*arguments, *piped], dot)
        if head == ("field", ".Files.Get"):
            return self.files(*[self.operand(part, dot, scope) for part in command[1:]])
        if head[0] == "fields" and head[1] == ("variable", "$root") and head[2] == ".Files.Get":
            return self.files(*[self.operand(part, dot, scope) for part in command[1:]])
        if len(command) > 1 or piped:
            raise TemplateError(f"{head} takes no arguments")
        return self.operand(head, dot, scope)

    def operand(self, part, dot, scope):
        kind, value = part[0], part[1]
        if kind == "string":
            return value[1:-1] if value.startswith("`") else json.loads(value)
        if kind == "number":
            return float(value) if "." in value else int(value)
        if kind == "dot":
            return dot
        if kind == "variable":
            return scope.find(value).values[value]
        if kind == "field":
            return walk(dot, value)
        if kind == "fields":
            return walk(self.operand(part[1], dot, scope), part[2])
        if kind == "group":
            return self.chain(value, dot, scope)
        if kind == "word" and value in ("true", "false", "nil"):
            return {"true": True, "false": False, "nil": None}[value]
        if kind == "word":
            return self.call(value, [], dot)
        raise TemplateError(f"{value} cannot stand here")

    def call(self, name, arguments, dot):
        if name == "include":
            if arguments[0] not in self.defines:
                raise TemplateError(f"no template is called {arguments[0]!r}")
            return self.run(self.defines[arguments[0]], arguments[1])
        if name == "randAlphaNum":
            self.random += 1
            return (f"random{self.random}" * arguments[0])[:arguments[0]]
        if name not in FUNCTIONS:
            raise TemplateError(f"no function is called {name!r}")
        return FUNCTIONS[name](*arguments)


def walk(value, path):
    for name in path.split(".")[1:]:
        if value is None:
            raise TemplateError(f"nothing is there to take .{name} of (in {path})")
        if not isinstance(value, dict):
            raise TemplateError(f".{name} of {type(value).__name__} (in {path})")
        value = value.get(name)
    return value


def truth(value):
    return value is not None and value != "" and value is not False and value != 0 and value != {} and value != []


def printed(value):
    if value is None:
        raise TemplateError("a value that is not there is printed")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise TemplateError("a map or a list is printed; use toYaml")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def to_yaml(value):
    return yaml.safe_dump(value, default_flow_style=False, allow_unicode=True, width=10**6).removesuffix("\n...\n").rstrip("\n")


def indent(count, text):
    return "\n".join(" " * count + line for line in text.split("\n"))


def fail(message):
    raise TemplateError(f"fail: {message}")


def printf(form, *values):
    if re.sub(r"%[sdv]", "", form).count("%"):
        raise TemplateError(f"printf knows %s, %d and %v only: {form!r}")
    return re.sub(r"%[sdv]", "%s", form) % tuple(printed(value) for value in values)


def both(*values):
    return next((value for value in values if not truth(value)), values[-1])


def either(*values):
    return next((value for value in values if truth(value)), values[-1])


def required(message, value):
    return value if value not in (None, "") else fail(message)


def index(value, *keys):
    for key in keys:
        value = value[key]
    return value


def pairs(*items):
    return dict(zip(items[::2], items[1::2], strict=True))


FUNCTIONS = {
    "and": both,
    "or": either,
    "not": lambda value: not truth(value),
    "eq": lambda first, *others: any(first == other for other in others),
    "ne": lambda first, second: first != second,
    "gt": lambda first, second: first > second,
    "lt": lambda first, second: first < second,
    "default": lambda fallback, value=None: value if truth(value) else fallback,
    "ternary": lambda yes, no, test: yes if test else no,
    "dict": pairs,
    "list": lambda *values: list(values),
    "index": index,
    "int": lambda value: int(value or 0),
    "printf": printf,
    "quote": lambda value: json.dumps(printed(value), ensure_ascii=False),
    "upper": lambda text: text.upper(),
    "replace": lambda old, new, text: text.replace(old, new),
    "trunc": lambda length, text: text[:length],
    "trimSuffix": lambda suffix, text: text.removesuffix(suffix),
    "contains": lambda part, text: part in text,
    "indent": indent,
    "nindent": lambda count, text: "\n" + indent(count, text),
    "toYaml": to_yaml,
    "toJson": lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True),
    "sha256sum": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "required": required,
    "fail": fail,
}


# --- A chart -----------------------------------------------------------------------------------------------------------


def merged(base, over):
    """Values over others, as Helm puts them: maps go together, everything else is replaced."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    result = dict(base)
    for key, value in over.items():
        result[key] = merged(base[key], value) if key in base else value
    return result


def render_chart(folder, values, release="demo", namespace="anwen", is_upgrade=False):
    """The rendered text of each template by its name."""
    chart = yaml.safe_load((folder / "Chart.yaml").read_text())
    context = {
        "Values": merged(yaml.safe_load((folder / "values.yaml").read_text()), values),
        "Chart": {key[0].upper() + key[1:]: value for key, value in chart.items()},
        "Release": {
            "Name": release,
            "Namespace": namespace,
            "Service": "Helm",
            "Revision": 2 if is_upgrade else 1,
            "IsUpgrade": is_upgrade,
            "IsInstall": not is_upgrade,
        },
        "Files": {},
    }

    def file(name):
        path = folder / name
        # Helm answers nothing for a file that is not there.
        return path.read_text() if path.is_file() else ""

    defines, parsed = {}, {}
    for path in sorted((folder / "templates").iterdir()):
        parsed[path.name] = Parser(path.name, path.read_text(), defines).parse()
    rendered = {}
    for name, nodes in parsed.items():
        try:
            text = Renderer(defines, file).run(nodes, context)
        except TemplateError as cause:
            raise TemplateError(f"{name}: {cause}") from cause
        if not name.startswith("_"):
            rendered[name] = text
    return rendered
