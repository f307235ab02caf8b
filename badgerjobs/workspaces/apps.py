from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "badgerjobs.workspaces"
    label = "workspaces"
