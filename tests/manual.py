#!/usr/bin/env python3
"""The manual says what the program does, no more and no less.

Each row of the tables of subjects, actions, settings, facts and expectations
has its paragraph in vaglio.conf(5) and each paragraph its row; stages, types,
defaults and ranges agree; vaglio(8) has the options of `vaglio --help`; and
every example of the manual and the README does what is said of it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

SRC = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), ".."))
CONF, COMMAND = "rules/vaglio.conf.5", "filter/vaglio.8"
VAGLIO = os.path.abspath("vaglio")

passed = failed = 0


def say(ok, what, why=""):
    global passed, failed
    if ok:
        passed += 1
        return
    failed += 1
    print("FAIL: %s%s" % (what, ": " + why if why else ""))


def read(path):
    with open(os.path.join(SRC, path), encoding="utf-8") as f:
        return f.read()


def same(what, manual, program):
    """Two sets that must be one."""
    for name in sorted(set(program) - set(manual)):
        say(False, what, "%s is not in the manual" % (name,))
    for name in sorted(set(manual) - set(program)):
        say(False, what, "the manual has %s, the program has not" % (name,))
    say(len(program) > 0, what, "nothing found in the source")
    for name in set(manual) & set(program):
        say(True, what)


# ---- mdoc ----

ESCAPES = {r"\e": "\\", r"\(dq": '"', r"\(aq": "'", r"\(ga": "`",
           r"\(ha": "^", r"\(ti": "~", r"\(em": "-", r"\&": ""}


def plain(text):
    for escape, character in ESCAPES.items():
        text = text.replace(escape, character)
    return re.sub(r"\\\[u([0-9A-F]{4,6})\]",
                  lambda found: chr(int(found.group(1), 16)), text)


def words_of(macros):
    """What a line of macros prints, about: the macros' names are dropped."""
    names = {"Ic", "Ar", "Cm", "Fl", "Ns", "No", "Op", "Oo", "Oc", "Qq", "Qo",
             "Qc", "Pq", "Po", "Pc", "Brq", "Ql", "Xo", "Xc", "Li", "Sq"}
    return [plain(w) for w in macros.split() if w not in names]


class Item:
    def __init__(self, section, head):
        self.section, self.head, self.body = section, head, []

    def text(self):
        return " ".join(" ".join(words_of(line)) for line in self.body)

    def command(self):
        """The words behind .Ic, as far as they go."""
        found = re.match(r"Ic ((?:(?!(?:Ar|Qq|Qo|Op|Oo|Pq|Brq|Ns|No|Ic|Cm)\b)"
                         r"\S+ ?)+)", self.head)
        return plain(found.group(1).strip()) if found else None


def items(page):
    """Every list item: its section and subsection, its head and its body."""
    section = subsection = ""
    current = []
    found = []
    head = None
    for line in read(page).splitlines():
        if line.startswith(".Sh "):
            section, subsection = line[4:], ""
        elif line.startswith(".Ss "):
            subsection = line[4:]
        elif line.startswith(".Bl"):
            current.append(None)
        elif line.startswith(".El"):
            current.pop()
        elif line.startswith(".It Xo"):
            head = []
        elif head is not None and line == ".Xc":
            current[-1] = Item((section, subsection), " ".join(head))
            found.append(current[-1])
            head = None
        elif head is not None:
            head.append(line.lstrip("."))
        elif line.startswith(".It"):
            current[-1] = Item((section, subsection), line[4:])
            found.append(current[-1])
        elif current and current[-1] is not None:
            current[-1].body.append(line.lstrip("."))
    return found


# ---- the tables of the source ----

def rows(path, table):
    text = read(path)
    body = text[text.index("#define " + table):]
    body = body[:body.index("\n\n")]
    split = re.compile(r'"[^"]*"|[^,]+')
    return [[field.strip().strip('"') for field in split.findall(row)
             if field.strip()]
            for row in re.findall(r"^ROW\((.*)\)", body.replace(", \"\"", ', "~"'),
                                  re.M)]


def strings(path, begin, end="};"):
    text = read(path)
    body = text[text.index(begin):]
    return re.findall(r'^\s*\{?"([^"]+)"', body[:body.index(end)], re.M), body


def list_of(path, begin):
    text = read(path)
    body = text[text.index(begin):]
    return re.findall(r'"([^"]+)"', body[:body.index("};")])


# ---- vaglio.conf(5) against them ----

TYPES = {"IP": "IP address", "NAME": "name", "ADDRESS": "address",
         "TEXT": "text", "NUMBER": "number"}
ARGUMENTS = {
    "NONE": {""},
    "STRING": {'"'},
    "NAME": {'"'},
    "FIELD": {'"', "/"},
    "FIELD_OR_NONE": {"", '"', "/"},
}


def check_subjects(manual):
    wanted, found = set(), set()
    for row in rows("include/subject.h", "SUBJECT_TABLE"):
        name, kind, stage, argument, flags = row[1], *row[4:8]
        stage = "any stage" if "IS_ANY" in flags else stage.lower()
        several = "IS_MANY" in flags or "IS_FIELD" in flags
        for form in ARGUMENTS[argument]:
            wanted.add((name, form, stage, TYPES[kind], several))
    for item in manual:
        if item.section[0] != "SUBJECTS":
            continue
        stage = re.sub("^Known at ", "", item.section[1])
        kind = re.search(r"Pq (.*)$", item.head)
        say(kind is not None, "subject", "%s has no type" % item.head)
        if kind is None:
            continue
        several = kind.group(1).endswith(", several")
        form = '"' if " Qo " in item.head else \
            "/" if "Ar /pattern/" in item.head else ""
        found.add((item.command(), form, stage,
                   kind.group(1).replace(", several", ""), several))
    same("subject", found, wanted)


def check_defects(manual):
    found = {i.command() for i in manual if i.section[0] == "MIME DEFECTS"}
    same("defect", found,
         [row[1] for row in rows("include/defect.h", "DEFECT_TABLE")])


def check_actions(manual):
    source = read("rules/words/action.c")
    found = {i.command(): i for i in manual if i.section[0] == "ACTIONS" and
             i.section[1] == ""}
    table = source[source.index("action_rows[] = {"):]
    table = table[:table.index("\n};")]
    program = re.findall(r"\{\"([a-z -]+)\",(.*?)\}", table, re.S)
    same("action", found.keys(), [name for name, _ in program])
    for name, rest in program:
        if name not in found:
            continue
        item = found[name]
        for takes, sign in (("TAKES_REPLY", "Ar code"),
                            ("TAKES_NAME", "Qo Ar Name Qc"),
                            ("TAKES_MATCHING", "Ic matching Ar /pattern/"),
                            ("TAKES_WHERE", "Ic where Ar condition"),
                            ("TAKES_WITH", "Ic with Qq Ar text"),
                            ("TAKES_BODY", "Ic in html"),
                            ("TAKES_ADDRESS", "Ar address")):
            say((re.search(takes + r"\b", rest) is not None) ==
                (sign in item.head), "action",
                "%s: is %s what follows?" % (name, sign))
        for default in re.findall(r'"([^"]*)"', rest):
            say(default in item.text(), "action",
                "the default %s of %s" % (default, name))


def in_words(kind, number):
    """A bound as the manual spells it."""
    number = int(number, 8) if number.startswith("0") and number != "0" \
        else int(number)
    if kind == "MODE":
        return "%04o" % number if number else "0"
    if kind == "TIME":
        return "%ds" % number
    if kind == "SIZE":
        for unit, name in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
            if number % unit == 0:
                return "%d%s" % (number // unit, name)
    return str(number)


def check_settings(manual):
    found = {i.command(): i for i in manual if i.section[0] == "SETTINGS"}
    program = rows("include/setting.h", "SETTING_TABLE")
    same("setting", found.keys(), [row[1] for row in program])
    for _, name, kind, default, least, most in program:
        if name not in found:
            continue
        text = found[name].text()
        if kind == "CHOICE":
            for word in default.split():
                say(word in text.split(), "setting",
                    "%s: the choice %s" % (name, word))
            default = default.split()[0]
        if default == "~":
            default = "none"
        say(re.search(r"Default: %s( ;|,| \.|\.|;)" % re.escape(default), text)
            is not None, "setting", "the default %s of %s" % (default, name))
        if (least, most) != ("0", "0"):
            limits = "range %s to %s" % (in_words(kind, least),
                                         in_words(kind, most))
            say(limits in text, "setting", "%s: %s" % (name, limits))


def check_operators(manual):
    found = {i.command() for i in manual
             if i.section == ("CONDITIONS", "Operators")}
    program = set(list_of("rules/words/words.c", "operators[] = {"))
    same("operator", found - {"is not"}, program | {"<", "<=", ">", ">="})


def check_tests(manual):
    heads = [i for i in manual if i.section[0] == "TESTS"]
    expects = next(n for n, i in enumerate(heads)
                   if i.head.startswith("Ic accept"))
    facts = {i.command() for i in heads[:expects]} - {None}
    source = read("rules/parse/parse_test.c")
    table = source[source.index("} facts[] = {"):]
    same("fact", facts,
         re.findall(r'\{"([^"]+)"', table[:table.index("};")]))
    verdicts = heads[expects].command().replace("|", " ").split()
    same("verdict", verdicts, list_of("rules/parse/parse_test.c", "verdicts[] = {"))
    words = {i.command().split()[0] for i in heads[expects + 1:]}
    same("expectation", words | set(verdicts),
         list_of("rules/parse/parse_test.c", "expect_words[] = {"))
    details = set(re.findall(r"Op Ic (\w+)", heads[expects].head))
    body = source[source.index("parse_details(struct parser"):]
    body = body[:body.index("\n}")]
    same("detail", details, re.findall(r'parser_accept\(p, "(\w+)"\)', body))
    stages = list_of("rules/base/names.c", "names[STAGES] = {")
    for stage in stages:
        say(stage in heads[expects].text().split(), "stage", stage)


def check_words():
    text = read(CONF)
    kept = text[text.index("The words\n.Ic time"):]
    kept = kept[:kept.index("are kept for later")]
    same("reserved word", re.findall(r"Ic (\w+)", kept),
         list_of("rules/words/words.c", "reserved[] = {"))
    statements = {i.command().split()[0] for i in items(CONF)
                  if i.section[0] == "STATEMENTS" and i.command()}
    statements |= {"shadow", "rule"} & set(re.findall(
        r"Ic (shadow|rule)", text[text.index(".Sh STATEMENTS"):]))
    statements = {s.rstrip("<") for s in statements}
    same("statement", statements,
         list_of("rules/words/words.c", "words_statements[] = {"))


def check_caps():
    caps = dict(re.findall(r"#define (CAPS_\w+) (\d+) ", read("include/caps.h")))
    manual = " ".join(read(CONF).split())
    for cap, text in (
            ("CAPS_FILL", "At most %s bytes are filled in"),
            ("CAPS_MIME_DEPTH", "More than %s parts in one another"),
            ("CAPS_MIME_PARTS", "More than %s parts."),
            ("CAPS_MIME_PARAMS", "more than %s parameters"),
            ("CAPS_MIME_PARAMS", "more than %s names"),
            ("CAPS_REPLY_LINE", "a line of a reply has at most %s"),
            ("CAPS_LOG_FIELD", "Texts are cut at %s bytes"),
            ("CAPS_LOG_REPLY", "actions at %s")):
        say(text % caps.get(cap) in manual, "cap", cap)


# ---- vaglio(8) ----

def check_options(manual):
    found, verbs = set(), set()
    for item in manual:
        if item.section[0] != "DESCRIPTION":
            continue
        if item.section[1] == "Verbs":
            verbs.add(item.head.split()[1])
        option = re.match(r"Fl (\S+)", item.head)
        if option:
            found.add("-" + option.group(1))
    synopsis = read(COMMAND)
    synopsis = synopsis[synopsis.index(".Sh SYN"):synopsis.index(".Sh DESC")]
    found |= {"-" + o for o in re.findall(r"Fl (\S+)", synopsis)}
    help_text = subprocess.run([VAGLIO, "--help"], capture_output=True,
                               text=True, check=False).stdout
    same("option", found,
         set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", help_text)))
    for verb in verbs:
        say(re.search(r"\bvaglio %s\b|^ +%s\b" % (verb, verb), help_text, re.M)
            is not None, "verb", "%s is not in --help" % verb)
    for verb in re.findall(r"vaglio ([a-z]+)", help_text):
        say(verb in verbs, "verb", "%s is not in the manual" % verb)


# ---- the examples ----

def blocks(page):
    """(kind, errors, text) of each literal block, by the comment above it."""
    kind, errors, text = None, [], None
    for number, line in enumerate(read(page).splitlines(), 1):
        mark = re.match(r'\.\\" example: (\w+)$', line)
        error = re.match(r'\.\\" error: (.*)$', line)
        if mark:
            kind, errors = mark.group(1), []
        elif error:
            errors.append(error.group(1))
        elif line.startswith(".Bd -literal"):
            say(kind is not None, "%s:%d" % (page, number), "no mark")
            text, where = [], "%s:%d" % (page, number)
        elif line == ".Ed":
            yield where, kind, errors, plain("\n".join(text)) + "\n"
            kind, text = None, None
        elif text is not None:
            text.append(line)


def check(folder, policy):
    with open(os.path.join(folder, "p.conf"), "w", encoding="utf-8") as f:
        f.write(policy)
    for name in re.findall(r'\bfile "([^"]+)"', policy):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            with open(path, "w", encoding="utf-8"):
                pass
    run = subprocess.run([VAGLIO, "check", "-c",
                          os.path.join(folder, "p.conf")],
                         capture_output=True, text=True, check=False)
    return run.returncode, run.stderr + run.stdout


def with_tables(text):
    """With an empty table for each that is used and not made."""
    used = set(re.findall(r"<([a-z][a-z0-9-]*)>", text))
    made = set(re.findall(r"^table <([a-z0-9-]+)>", text, re.M))
    return "".join("table <%s> { }\n" % t for t in sorted(used - made)) + text


def loads(where, policy):
    with tempfile.TemporaryDirectory() as folder:
        status, output = check(folder, policy)
        say(status == 0, where, "does not load\n" + output)


def refused(where, policy, error):
    with tempfile.TemporaryDirectory() as folder:
        status, output = check(folder, policy)
        say(status == 78, where, "status %d of\n%s" % (status, policy))
        say(error in output, where, "%s\nand not: %s" % (output, error))


def as_table(where, text):
    policy = 'table <t> file "t"\nrule r\n  if auth in <t>\n  reject\n'
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "t"), "w", encoding="utf-8") as f:
            f.write(text)
        status, output = check(folder, policy)
        say(status == 0, where, output)


def wrong(where, errors, text):
    parts = [p for p in text.split("\n\n") if p.strip()]
    say(len(parts) == len(errors), where, "an error for each part")
    for part, error in zip(parts, errors):
        refused(where, with_tables(part + "\n"), error)


def explains(where, text):
    command, dots, *output = text.splitlines()
    say(dots == "...", where, "no ... below the command")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "vaglio.conf"), "w",
                  encoding="utf-8") as f:
            f.write(next(t for _, k, _, t in blocks(CONF) if k == "policy"))
        run = subprocess.run([VAGLIO, "explain", "-c", "vaglio.conf",
                              "--offline", *command.split()[3:]], cwd=folder,
                             capture_output=True, text=True, check=False)
        say("\n" + "\n".join(output) + "\n" in run.stdout, where,
            run.stdout + run.stderr)


def check_examples(page):
    for where, kind, errors, text in blocks(page):
        if kind == "policy":
            loads(where, text)
        elif kind == "rules":
            loads(where, with_tables(text))
        elif kind == "conditions":
            for line in text.splitlines():
                loads(where, with_tables("rule r\n  if %s\n  log \"x\"\n" % line))
        elif kind == "table":
            as_table(where, text)
        elif kind == "explain":
            explains(where, text)
        elif kind == "wrong":
            wrong(where, errors, text)
        else:
            say(kind == "other", where, "the mark %s" % kind)


def check_readme():
    if not os.path.exists(os.path.join(SRC, "README.md")):
        return
    for block in re.findall(r"^```\w*\n(.*?)^```", read("README.md"),
                            re.S | re.M):
        if re.search(r"^(rule|shadow rule|table|set|define) ", block, re.M):
            loads("README.md", block)


def check_lint(page):
    if shutil.which("mandoc") is None:
        return
    run = subprocess.run(["mandoc", "-Tlint", "-Wwarning",
                          os.path.join(SRC, page)],
                         capture_output=True, text=True, check=False)
    say(run.stdout + run.stderr == "", page, run.stdout + run.stderr)


def main():
    manual = items(CONF)
    check_subjects(manual)
    check_defects(manual)
    check_actions(manual)
    check_settings(manual)
    check_operators(manual)
    check_tests(manual)
    check_words()
    check_caps()
    for page in CONF, COMMAND:
        check_lint(page)
    check_options(items(COMMAND))
    for page in CONF, COMMAND:
        check_examples(page)
    check_readme()
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
