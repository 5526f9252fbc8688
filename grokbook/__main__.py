"""The command line: `python -m grokbook COMMAND`, also installed as `grokbook`."""

import argparse
import importlib
import os
import sys

COMMANDS = ("run", "runs", "pack", "onsets", "claims", "execute", "bench")
REFUSED = 2  # exit status of a request that cannot be, as argparse has it
INTERRUPTED = 130


def main(words: list[str] | None = None) -> int:
    """Run one command; a refusal is one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="grokbook", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        # Only light modules: `run` has to start on a machine without the book's packages.
        module = importlib.import_module(f"grokbook.commands.{name}")
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.arguments(command)
        command.set_defaults(act=module.act)
    chosen = parser.parse_args(words)
    try:
        status = chosen.act(chosen) or 0
        sys.stdout.flush()  # here, where a reader that has gone is understood
        return status
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; nothing more may be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as interrupt:
        sentence = str(interrupt) or "interrupted."
        print(f"grokbook: {sentence}", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if not _is_refusal(error):
            raise
        print(f"grokbook: {error}", file=sys.stderr)
        return REFUSED


def _is_refusal(error: Exception) -> bool:
    """Whether the error is a sentence for the user; a defect keeps its trace."""
    from grokbook.archive.store import StoreError
    from grokbook.archive.workers import WorkerError
    from grokbook.training.checkpoint import DamagedError

    return isinstance(error, (ValueError, StoreError, DamagedError, WorkerError))


if __name__ == "__main__":
    sys.exit(main())
