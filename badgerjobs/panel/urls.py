"""The addresses of the panel's own pages."""

from django.urls import path

from badgerjobs.panel import (
    application_views,
    audit_views,
    engine_views,
    invitation_views,
    member_views,
    token_views,
    views,
    workspace_views,
)

app_name = "panel"

urlpatterns = [
    path("theme/", views.choose_theme, name="theme"),
    path("keys/", views.keys, name="keys"),
    path("a/<slug:application_slug>/", views.overview, name="overview"),
    path("a/<slug:application_slug>/engine/", engine_views.engine, name="engine"),
    path("a/<slug:application_slug>/first-token/", views.first_token, name="first-token"),
    path("a/<slug:application_slug>/settings/", application_views.settings_page, name="settings"),
    path("a/<slug:application_slug>/settings/change/", application_views.change, name="change-application"),
    path("a/<slug:application_slug>/settings/rename/", application_views.rename, name="rename-application"),
    path("a/<slug:application_slug>/settings/delete/", application_views.delete, name="delete-application"),
    path("a/<slug:application_slug>/settings/signing-key/", application_views.signing_key, name="signing-key"),
    path("a/<slug:application_slug>/settings/signing-key/rotate/", application_views.rotate, name="rotate-key"),
    path("a/<slug:application_slug>/settings/signing-key/end/", application_views.end_key, name="end-key"),
    path("a/<slug:application_slug>/tokens/", token_views.tokens, name="tokens"),
    path("a/<slug:application_slug>/tokens/new/", token_views.new_token, name="new-token"),
    path("a/<slug:application_slug>/tokens/<slug:token_slug>/rotate/", token_views.rotate, name="rotate-token"),
    path("a/<slug:application_slug>/tokens/<slug:token_slug>/revoke/", token_views.revoke, name="revoke-token"),
    path("workspaces/", workspace_views.workspaces, name="workspaces"),
    path("workspaces/new/", workspace_views.new_workspace, name="new-workspace"),
    path("w/<slug:workspace_slug>/", workspace_views.workspace, name="workspace"),
    path("w/<slug:workspace_slug>/rename/", workspace_views.rename, name="rename-workspace"),
    path("w/<slug:workspace_slug>/delete/", workspace_views.delete, name="delete-workspace"),
    path("w/<slug:workspace_slug>/applications/new/", workspace_views.new_application, name="new-application"),
    path("w/<slug:workspace_slug>/members/", member_views.members, name="members"),
    path("w/<slug:workspace_slug>/members/invite/", member_views.invite, name="invite"),
    path("w/<slug:workspace_slug>/members/leave/", member_views.leave, name="leave"),
    path("w/<slug:workspace_slug>/members/<slug:member_slug>/role/", member_views.change_role, name="change-role"),
    path("w/<slug:workspace_slug>/members/<slug:member_slug>/remove/", member_views.remove, name="remove-member"),
    path("w/<slug:workspace_slug>/invitations/<slug:invitation_slug>/again/", member_views.send_anew, name="send-anew"),
    path(
        "w/<slug:workspace_slug>/invitations/<slug:invitation_slug>/withdraw/", member_views.withdraw, name="withdraw"
    ),
    path("w/<slug:workspace_slug>/audit/", audit_views.audit_log, name="audit"),
    path("w/<slug:workspace_slug>/audit/export/", audit_views.export_audit_log, name="export-audit"),
    path("invitations/<str:secret>/", invitation_views.invitation, name="invitation"),
]
