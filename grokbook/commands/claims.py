"""`grokbook claims`: every claim with its verdict, computed now from the archived runs."""

import argparse
import json

HELP = "judge the claims; with --check, fail where a verdict has moved"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--json", action="store_true", help="a list of flat objects")
    parser.add_argument("--source", metavar="KEY", help="only this paper's, such as nanda23")
    parser.add_argument("--check", action="store_true", help="compare with book/verdicts.json")
    parser.add_argument("--store", action="store_true", help="accept the verdicts of now")


def act(chosen: argparse.Namespace) -> int:
    """Print the ledger; exit 1 where --check finds a claim that moved."""
    from grokbook.claims import accept, ledger, moved, stored_verdicts

    if chosen.source and (chosen.check or chosen.store):
        raise ValueError("--source shows a part: --check and --store need the whole ledger.")
    rows = ledger(chosen.source)
    if chosen.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['id']}: {row['verdict']}. {row['note']}".rstrip())
    changes = moved(rows, stored_verdicts()) if chosen.check else []
    for line in changes:
        print(line)
    if chosen.store:
        accept(rows)
    return 1 if changes else 0
