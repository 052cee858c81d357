#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Documents and completions made from the daemon's own table of options, so that they cannot tell anything else.

    packaging/option_documents.py man|bash|zsh       on stdout: livelogd.toml(5), or the completion of a shell
    packaging/option_documents.py write              docs/configuration.md and config/livelogd.toml, in place

The program that is asked (`livelogd --print-options`) is $LIVELOGD_BIN, else build/release/livelogd.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]

# What a shell can offer as the value of an option: the table does not tell. Options that are not here get none.
DIRECTORIES = {"log_dir"}
FILES = {"socket", "auth_token_file"}
GROUPS = {"socket_group"}
WORDS = {"sync": ("none", "interval", "always"), "timezone": ("UTC",)}

# What stands on the command line alone.
OTHER_FLAGS = {
    "--config": "Configuration file (TOML).",
    "--check-config": "Say whether the configuration is sound, and end.",
    "--print-config": "Print the configuration in force as TOML, and end.",
    "--print-options": "Print what there is to configure as JSON, and end.",
    "--version": "Print the version, and end.",
    "--help": "Print the flags, and end.",
}


class Option(NamedTuple):
    """An option as `--print-options` tells it."""

    name: str
    flag: str
    variable: str
    kind: str
    default: str
    help: str
    reloadable: bool

    @property
    def toml_default(self) -> str:
        """The default as it is written in the file."""
        if self.kind == "list":
            return "[" + ", ".join(f'"{one}"' for one in self.default.split(",") if one) + "]"
        bare = self.kind == "switch" or re.fullmatch(r"0|[1-9][0-9]*", self.default)
        return self.default if bare else f'"{self.default}"'

    @property
    def takes(self) -> str:
        return {"list": "a list of texts", "switch": "true or false"}.get(self.kind, "a value")


def program() -> Path:
    return Path(os.environ.get("LIVELOGD_BIN") or ROOT / "build/release/livelogd")


def ask(*arguments: str) -> str:
    """What the program prints, undisturbed by the caller's LIVELOGD_* variables."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LIVELOGD_")}
    done = subprocess.run([program(), *arguments], capture_output=True, text=True, check=True, env=plain)
    return done.stdout


def options() -> list[Option]:
    return [Option(**one) for one in json.loads(ask("--print-options"))]


# --- the manual page ----------------------------------------------------------------------------------------------


def roff(text: str) -> str:
    """Text for a manual page: what roff would take for its own is escaped."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    return "\\&" + text if text.startswith(".") else text


MAN_HEAD = r""".\" SPDX-License-Identifier: MIT
.\" Made by packaging/option_documents.py from the program's table of options.
.TH LIVELOGD.TOML 5 @DATE@ "livelogd @VERSION@" "File formats"
.SH NAME
livelogd.toml \- configuration of the live log daemon
.SH SYNOPSIS
.I /etc/livelogd/livelogd.toml
.SH DESCRIPTION
The file is TOML: a line
.IB key " = " value
for each option that is not to have its default.
Texts, sizes and durations stand in quotes
.RB ( \(dq10MiB\(dq ", " \(dq30s\(dq ),
numbers and
.BR true " or " false
do not, lists in brackets.
An unknown key or a value that cannot be used stops the start with exit code 78; the message names line and key.
.B livelogd \-\-config /etc/livelogd/livelogd.toml \-\-check\-config
tells beforehand.
.PP
Every option is also a flag and an environment variable.
The flag wins over the variable, the variable over the file, the file over the default.
.PP
Sizes are bytes, or have one of the units
.BR KiB ", " MiB ", " GiB .
Durations have one of the units
.BR ms ", " s ", " min ", " h .
.PP
Options that say so are taken over by
.B systemctl reload livelogd
(SIGHUP); all others need a restart.
A file that cannot be used leaves everything as it was, and says so in the journal.
.PP
A daemon that is started by systemd takes its sockets from
.B livelogd.socket
and
.BR livelogd\-http.socket :
.BR socket ", " socket_mode " and " socket_group
are then not used, and
.B listen
names addresses beyond theirs. See
.BR livelogd (8).
.SH OPTIONS
"""

MAN_TAIL = r""".SH ALERTS
Tables
.B [[alert]]
after all options are rules of whom to tell when something happens in the log.
.I /usr/share/doc/livelogd/alerts.md
has their keys.
.SH SEE ALSO
.BR livelogd (8),
.I /usr/share/doc/livelogd/configuration.md
"""


def man_page() -> str:
    text = MAN_HEAD  # with @DATE@ and @VERSION@, which the package fills in
    for one in options():
        text += f".TP\n.BR {roff(one.name)} \" = {roff(one.toml_default).replace(chr(34), chr(92) + '(dq')}\"\n"
        text += roff(one.help) + "\n.br\n"
        told = f"Flag \\fB{roff(one.flag)}\\fR, variable \\fB{roff(one.variable)}\\fR."
        text += told + (" Taken over by a reload.\n" if one.reloadable else "\n")
    return text + MAN_TAIL


# --- Markdown -----------------------------------------------------------------------------------------------------

MARKDOWN_HEAD = """<!-- SPDX-License-Identifier: MIT -->
<!-- Made by packaging/option_documents.py from the program's table of options; `make docs` makes it again. -->
# Configuration

Every option is a key of the configuration file (`log_dir = "./logs"`), a flag (`--log-dir ./logs`) and an environment variable
(`LIVELOGD_LOG_DIR=./logs`). The flag wins over the variable, the variable over the file, the file over the default.

The file is TOML and named by `--config`; the Debian package has it in `/etc/livelogd/livelogd.toml`. Texts, sizes and durations stand in
quotes, numbers and `true` or `false` do not, lists in brackets; flags and variables separate the values of a list by commas. Sizes are
bytes, or have one of the units `KiB`, `MiB`, `GiB`; durations `ms`, `s`, `min`, `h`. `config/livelogd.toml` shows every option with its
default.

    livelogd --config /etc/livelogd/livelogd.toml --check-config    # is it sound?
    livelogd --config /etc/livelogd/livelogd.toml --print-config    # what is in force, defaults included
    livelogd --print-options                                        # this table, as JSON

An unknown key, or a value that cannot be used, stops the start with exit code 78, and the message names file, line and key. `SIGHUP`
(`systemctl reload livelogd`) reads the file again: options marked **reload** are taken over, of all others that have changed it is said
that they need a restart; a file that cannot be used changes nothing.

A daemon started by systemd takes its sockets from `livelogd.socket` and `livelogd-http.socket`: `socket`, `socket_mode` and `socket_group` are
then not used, and `listen` names addresses beyond theirs ([operations.md](operations.md)).

Tables `[[alert]]` after all options are rules of whom to tell when something happens: [alerts.md](alerts.md).

"""


def markdown() -> str:
    text = MARKDOWN_HEAD + "| option | default | |\n|---|---|---|\n"
    for one in options():
        default = f"`{one.toml_default}`" if one.default else "unset"
        if len(default) > 100:
            default = f"{len(one.default.split(','))} names: `livelogd --print-config` lists them"
        told = one.help.replace("|", "\\|").replace("*", "\\*") + (" **reload**" if one.reloadable else "")
        text += f"| `{one.name}` | {default} | {told} |\n"
    return text


# --- completions --------------------------------------------------------------------------------------------------


def bash() -> str:
    flags = " ".join([*OTHER_FLAGS, *(one.flag for one in options())])
    cases = ""

    def case(names: set[str], does: str) -> str:
        known = sorted(one.flag for one in options() if one.name in names)
        return f"        {' | '.join(known)})\n            {does}\n            return\n            ;;\n" if known else ""

    cases += "        --config)\n            _filedir toml\n            return\n            ;;\n"
    cases += case(DIRECTORIES, "_filedir -d")
    cases += case(FILES, "_filedir")
    cases += case(GROUPS, "_allowed_groups \"$cur\"")
    for name, words in WORDS.items():
        cases += case({name}, f"COMPREPLY=($(compgen -W \"{' '.join(words)}\" -- \"$cur\"))")
    cases += case({one.name for one in options() if one.kind == "switch"}, 'COMPREPLY=($(compgen -W "true false" -- "$cur"))')
    valued = {one.name for one in options() if one.kind != "switch"} - DIRECTORIES - FILES - GROUPS - set(WORDS)
    cases += case(valued, ": # a value of which nothing is known")
    return f"""# SPDX-License-Identifier: MIT
# bash completion for livelogd. Made by packaging/option_documents.py from the program's table of options.
_livelogd() {{
    local cur prev words cword split
    _init_completion -s || return
    case $prev in
{cases}    esac
    $split && return
    COMPREPLY=($(compgen -W "{flags}" -- "$cur"))
}} &&
    complete -F _livelogd livelogd
"""


def zsh() -> str:
    lines = []

    def described(flag: str, text: str, value: str) -> str:
        text = re.sub(r"([\[\]:\\])", r"\\\1", text.split(". ")[0].rstrip(".")).replace("'", "'\\''")
        return f"    '{flag}[{text}]{value}'"

    for flag, text in OTHER_FLAGS.items():
        equals = "=" if flag == "--config" else ""
        lines.append(described(flag + equals, text, ":file:_files" if equals else ""))
    for one in options():
        if one.kind == "switch":
            lines.append(described(one.flag + "=-", one.help, "::truth:(true false)"))
            continue
        action = " "
        if one.name in DIRECTORIES:
            action = "_files -/"
        elif one.name in FILES:
            action = "_files"
        elif one.name in GROUPS:
            action = "_groups"
        elif one.name in WORDS:
            action = f"({' '.join(WORDS[one.name])})"
        repeat = "*" if one.kind == "list" else ""
        lines.append(described(repeat + one.flag + "=", one.help, f":{one.name}:{action}"))
    body = " \\\n".join(lines)
    return f"""#compdef livelogd
# SPDX-License-Identifier: MIT
# zsh completion for livelogd. Made by packaging/option_documents.py from the program's table of options.
_arguments -s \\
{body}
"""


def main() -> int:
    printers = {"man": man_page, "bash": bash, "zsh": zsh, "markdown": markdown}
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what in printers:
        sys.stdout.write(printers[what]())
    elif what == "write":
        (ROOT / "docs/configuration.md").write_text(markdown(), encoding="utf-8")
        (ROOT / "config/livelogd.toml").write_text(ask("--print-config"), encoding="utf-8")
    else:
        print(__doc__, file=sys.stderr)
        return 64
    return 0


if __name__ == "__main__":
    sys.exit(main())
