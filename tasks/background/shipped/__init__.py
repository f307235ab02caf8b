"""Background tasks that come with Badger Jobs: a literal table, id → the module that defines it."""

SHIPPED: dict[str, str] = {
    "testingRun": "tasks.background.shipped.testing_run",
    "resyncKeys": "tasks.background.shipped.resync_keys",
    "exportWorkspace": "tasks.background.shipped.export_workspace",
    "bulkReplay": "tasks.background.shipped.bulk_replay",
}
