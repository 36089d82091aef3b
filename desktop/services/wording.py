"""Wording: what the window and the command both say, said once: of a claim, of a run's end, of an import.

It never says *true*, *verified* or *wrong*, only what was or was not found in the ticket: see `evidence`.
"""

from __future__ import annotations

import math
from pathlib import Path

from desktop.domain.history import ImportRecord, ImportState
from desktop.domain.imports import Bundle, Finished, ImportCounts, Progress, Recognized, Undone, total
from desktop.domain.runs import CheckedClaim, Opinion, RunState, Summary, Support

LIMITS = (
    "The check compares facts and words on this machine. It finds most numbers, dates, ids and names that the ticket does not have there,"
    " and about half of what is worded differently; about one free paraphrase in three is marked although it is faithful. It can miss a right"
    " value in the wrong place, who did what, what is done and what was only planned, irony and conditions; outside English it checks little"
    " but facts. A sentence without a mark may still be mistaken: click it to read its source."
)
"""What the check cannot see; the window and the command show it beside its marks."""

_NAMED_TABLES = 4
_PACE_KNOWN_SECONDS = 1.0
_A_MINUTE_AND_A_HALF = 90
_FORMATS = {"mbox": "a mailbox", "eml": "mails", "html": "a web page"}
_JSON = {"json": "JSON", "jsonl": "JSON, one record a line"}
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 ticket`, `2,000 tickets`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def describe_seconds_left(seconds: float) -> str:
    """Say how long something will take, no more exactly than it can be known."""
    if seconds < _A_MINUTE_AND_A_HALF:
        return f"about {count(max(1, round(seconds)), 'second')} left"
    minutes = round(seconds / 60)
    if minutes < _A_MINUTE_AND_A_HALF:
        return f"about {count(minutes, 'minute')} left"
    hours, rest = divmod(minutes, 60)
    return (
        f"about {count(hours, 'hour')} {count(rest, 'minute')} left" if rest else f"about {count(hours, 'hour')} left"
    )


def describe_format(recognized: Recognized) -> str:
    """Say how a file is written: `utf-8, comma-separated`, or which sheet of a workbook it is."""
    if recognized.format in _FORMATS:
        return _FORMATS[recognized.format]
    if recognized.format in _JSON:
        return _JSON[recognized.format] + (f", the list “{recognized.sheet}”" if recognized.sheet else "")
    if recognized.sheet:
        return f"sheet “{recognized.sheet}” of a workbook"
    delimiter = _DELIMITERS.get(recognized.delimiter, recognized.delimiter)
    return f"{recognized.encoding}, {delimiter}-separated"


def describe_header(recognized: Recognized) -> str:
    """Say where the names of the columns stand, '' where they are given by the kind of file, as those of mail and JSON are."""
    is_table = bool(recognized.delimiter or recognized.sheet) and recognized.format not in _JSON
    return f"line {recognized.header_line:,}" if is_table else ""


def describe_claim(checked: CheckedClaim) -> str:
    """Say what was found of a claim."""
    if checked.missing_facts:
        return (
            f"{_quoted(checked.missing_facts)} {'is' if len(checked.missing_facts) == 1 else 'are'} not in the ticket"
        )
    if checked.support is Support.UNSUPPORTED:
        return "; ".join(("not found in this ticket", *checked.doubts))
    if checked.support is Support.UNCITED:
        return "no source given or found"
    if checked.misplaced_facts:
        return f"{_quoted(checked.misplaced_facts)}: found in the ticket, but not as said here in the sentence that is cited"
    if checked.support is Support.PARTIAL:
        return f"check this sentence: {'; '.join(checked.doubts) or 'the wording differs from the ticket'}"
    return "matches the ticket's words" + (" (source found on this machine)" if checked.origin == "found" else "")


def describe_opinion(opinion: Opinion, model: str = "") -> str:
    """Say what a model answered when it was asked again, and that it was the model."""
    answer = {
        Opinion.SAYS_SO: "the cited sentences say this",
        Opinion.SAYS_OTHERWISE: "the cited sentences do not say this",
        Opinion.UNCLEAR: "it cannot be told from the cited sentences",
    }
    return f"{model or 'The model'}, asked again: {answer[opinion]}." if opinion in answer else ""


def describe_findings(summary: Summary) -> str:
    """Say how many sentences of a summary are supported, and how many messages were read; '' without sentences."""
    if not summary.claims:
        return ""
    supported = sum(checked.support is Support.SUPPORTED for checked in summary.claims)
    read = (
        f" · {summary.coverage.read} of {count(summary.coverage.messages, 'message')} read"
        if summary.coverage.read
        else ""
    )
    return f"{supported} of {count(len(summary.claims), 'sentence')} supported{read}"


def describe_writer(summary: Summary) -> str:
    """Say who wrote a summary: a person, or which model of which provider."""
    return "a person" if summary.is_edit else f"{summary.model} ({summary.provider})"


def describe_end(summary: Summary) -> str:
    """Say how a run ended when it did not end well, with what to do; '' for a complete one."""
    if summary.state is RunState.COMPLETE:
        return ""
    word = {RunState.INCOMPLETE: "Incomplete", RunState.CANCELLED: "Stopped"}.get(summary.state, "No summary")
    reason = summary.reason
    if summary.state is RunState.CANCELLED:
        reason = "the text so far is kept" if summary.text else "before anything was written"
    sentence = f"{word}: {reason[:1].lower() + reason[1:] if reason[1:2].islower() else reason}"
    return f"{sentence.rstrip('.')}. {summary.remedy}".strip()


def describe_import(counts: ImportCounts) -> str:
    """Say in one sentence what became of a file, or would."""
    rejected = f"; {counts.rejected:,} of {count(counts.rows, 'row')} rejected" if counts.rejected else ""
    if not counts.tickets_new and not counts.tickets_updated:
        if not counts.tickets_unchanged:
            return f"no tickets{rejected}"
        return f"nothing is new: {count(counts.tickets_unchanged, 'ticket')} already here, unchanged{rejected}"
    fates = [f"{counts.tickets_new:,} new"]
    fates += [f"{counts.tickets_updated:,} changed"] if counts.tickets_updated else []
    fates += [f"{counts.tickets_unchanged:,} unchanged"] if counts.tickets_unchanged else []
    last = counts.tickets_unchanged or counts.tickets_updated or counts.tickets_new
    return f"{', '.join(fates)} ticket{'' if last == 1 else 's'}, {count(counts.messages, 'message')}{rejected}"


def describe_progress(progress: Progress) -> str:
    """Say how far an import is: `42,000 rows, 7,452 a second, about 8 s left`. What is left is said once the pace is known."""
    rows, seconds, fraction = progress.counts.rows, progress.seconds, progress.fraction
    text = f"{count(rows, 'row')}, {rows / seconds if seconds else 0:,.0f} a second"
    if seconds < _PACE_KNOWN_SECONDS or not 0 < fraction < 1:
        return text
    left = math.ceil(seconds * (1 - fraction) / fraction)
    return f"{text}, about {f'{left} s' if left < _A_MINUTE_AND_A_HALF else f'{round(left / 60):,} min'} left"


def describe_account(counts: ImportCounts) -> str:
    """Say what became of every row: `500 rows = 480 used + 12 unchanged + 8 rejected`."""
    parts = (
        (counts.rows_used, "used"),
        (counts.rows_unchanged, "unchanged"),
        (counts.rejected, "rejected"),
        (counts.blank, "blank"),
        (counts.footer, "footer"),
    )
    fates = [f"{number:,} {word}" for number, word in parts if number]
    return f"{count(counts.rows, 'row')} {'=' if counts.adds_up else '≠'} {' + '.join(fates) or '0'}"


def describe_imbalance(counts: ImportCounts) -> str:
    """Say what differs when not every row has exactly one fate; '' when all have."""
    if counts.adds_up:
        return ""
    told = counts.rows_used + counts.rows_unchanged + counts.rejected + counts.blank + counts.footer
    wrong = f"{count(counts.rows - told, 'row')} {'is' if counts.rows - told == 1 else 'are'} unaccounted for"
    if told > counts.rows:
        wrong = f"{count(told - counts.rows, 'row')} too many {'has' if told - counts.rows == 1 else 'have'} a fate"
    return f"The counts do not add up: {describe_account(counts)}, so {wrong}. Please report it with the file."


def describe_state(record: ImportRecord) -> str:
    """Say in a word or two how an import ended."""
    if record.state is ImportState.WHOLE and not record.adds_up:
        return "Does not add up"
    return {
        ImportState.WHOLE: "Whole",
        ImportState.RUNNING: "Running",
        ImportState.STOPPED: "Stopped",
        ImportState.UNDONE: "Undone",
        ImportState.UNFINISHED: "Not finished",
    }[record.state]


def describe_people(counts: ImportCounts) -> str:
    """Say what a table of people brought."""
    people = "1 person" if counts.rows_used == 1 else f"{counts.rows_used:,} people"
    named = (
        f"named in {count(counts.tickets_updated, 'ticket')}" if counts.tickets_updated else "named in no ticket yet"
    )
    rejected = f", {count(counts.rejected, 'row')} rejected" if counts.rejected else ""
    return (
        f"{people} new or changed, {named}{rejected}"
        if counts.rows_used
        else f"nothing new, {counts.rows_unchanged:,} people known before{rejected}"
    )


def describe_others(bundle: Bundle) -> str:
    """Say which tables go in together with the one that is shown; '' when it stands alone."""
    others = [table for table in bundle.tables if table is not bundle.main]
    named = [f"{Path(table.path).name} ({table.kind})" for table in others[:_NAMED_TABLES]]
    if len(others) > _NAMED_TABLES:
        named.append(f"{len(others) - _NAMED_TABLES:,} more")
    return f"Together with {', '.join(named)}" if named else ""


def describe_finished(*done: Finished) -> str:
    """Say in one sentence what became of files together, and of people where there are only those."""
    counts = total(finished.counts for finished in done)
    only_people = all(finished.recognized.kind == "people" for finished in done)
    return describe_people(counts) if only_people else describe_import(counts)


def describe_undo(*undone: Undone) -> str:
    """Say what taking imports back did to the tickets."""
    removed = sum(each.tickets_removed for each in undone)
    restored = sum(each.tickets_restored for each in undone)
    return f"{count(removed, 'ticket')} removed, {count(restored, 'ticket')} restored"


def _quoted(facts: tuple[str, ...]) -> str:
    return ", ".join(f"“{fact}”" for fact in facts)
