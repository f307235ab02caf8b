"""What this app keeps: cache keys with their values, the syncs that filled them, and the tasks that ask for syncs."""

from tasks.models.background import BackgroundRun
from tasks.models.key import CachedValue, CacheKey, CacheReads
from tasks.models.sync import KeySync, SyncState
from tasks.models.task import KIND, REFRESH_KIND, Selection, Task, TaskKey, TaskType

__all__ = [
    "KIND",
    "REFRESH_KIND",
    "BackgroundRun",
    "CacheKey",
    "CacheReads",
    "CachedValue",
    "KeySync",
    "Selection",
    "SyncState",
    "Task",
    "TaskKey",
    "TaskType",
]
