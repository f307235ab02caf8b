"""What each role may do, in words: on the page of members and in docs/panel.md alike."""

from collections.abc import Mapping

from badgerjobs.workspaces.models import Role

MAY: Mapping[Role, str] = {
    Role.VIEWER: "looks at everything but tokens and the audit log, and changes nothing",
    Role.EDITOR: "also makes, changes, runs, pauses and deletes jobs and tasks, makes, changes, tries and deletes "
    "events, connections, sources and cache keys, makes, changes, runs and deletes slurpers, async jobs and "
    "collections, approves and drops results, aborts and replays runs, and sees which tokens there are",
    Role.ADMIN: "also makes applications, manages members, tokens, settings and the signing key, and reads the audit "
    "log",
    Role.OWNER: "also makes owners, renames the workspace, and deletes it and its applications",
}


def explained() -> list[tuple[str, str]]:
    """Each role with what it may do, the lowest first."""
    return [(role.label, words) for role, words in MAY.items()]
