"""The command ``completion``, and the answers to a shell that completes a command line."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, ClassVar

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from pipekit.cli.app import COMPLETION, cli
from pipekit.cli.commands import Command

_NAME = "pipekit"
_SPECIAL, _ESCAPED = re.compile(r"[^\w@%+=:,./-]"), r"\\\g<0>"

_BASH = """\
%(complete_func)s() {
    local kind value
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" %(complete_var)s=bash_complete \\
        "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """Completion for bash, whose words end at a colon too: of ``tag:late`` it is given, and takes, ``late``."""

    name: ClassVar[str] = "bash"
    source_template: ClassVar[str] = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor, and the one at it; and how much of that bash has taken as words before."""
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)
        at_a_word = bool(line) and not line[-1].isspace()
        incomplete = words.pop() if at_a_word and len(words) > 1 else ""
        colon = ":" in os.environ.get("COMP_BREAKS", "")
        self._given = incomplete.rpartition("=")[2].rfind(":") + 1 if colon else 0
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """As ``_BASH`` reads it. A backslash keeps each sign from the shell, also after a quote that is typed already.

        Bash's own ``%q`` may write ``$'...'``, whose quotes would end the typed one.
        """
        value = item.value[self._given :]
        return f"{item.type},{_SPECIAL.sub(_ESCAPED, value) if item.type == 'plain' else value}"


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands, options, files, steps, targets, tables and runs.

    \b
    bash: echo 'eval "$(pipekit completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(pipekit completion zsh)"' >> ~/.zshrc
    fish: pipekit completion fish > ~/.config/fish/completions/pipekit.fish
    """
    add_completion_class(Bash)
    kind: Any = get_completion_class(shell)
    click.echo(kind(cli, {}, _NAME, COMPLETION).source())


def answer() -> None:
    """Answer the shell, and end the process. Where something in the project is wrong, nothing is proposed."""
    add_completion_class(Bash)
    try:
        cli(prog_name=_NAME, complete_var=COMPLETION, standalone_mode=False)
    except Exception:  # noqa: BLE001 - a message would be in the line that is typed
        sys.exit(1)
