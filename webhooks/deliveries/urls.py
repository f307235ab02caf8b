"""The addresses of the pages about deliveries and transforms, below an application's: those of `webhooks/urls.py`."""

from django.urls import URLPattern, path

from webhooks.deliveries import views as delivery_views
from webhooks.transforms import views as transform_views

urlpatterns: list[URLPattern] = [
    path("deliveries/", delivery_views.list_deliveries, name="deliveries"),
    path("dead-letters/", delivery_views.dead_letters, name="dead-letters"),
    path("replay-deliveries/", delivery_views.replay_many, name="replay-deliveries"),
    path("deliveries/<uuid:delivery_id>/", delivery_views.show_delivery, name="delivery"),
    path("deliveries/<uuid:delivery_id>/body/", delivery_views.body, name="delivery-body"),
    path("deliveries/<uuid:delivery_id>/replay/", delivery_views.replay, name="replay-delivery"),
    path("deliveries/<uuid:delivery_id>/verify/", delivery_views.verify, name="verify-delivery"),
    path("deliveries/<uuid:delivery_id>/example/", delivery_views.save_as_example, name="save-as-example"),
    path("hooks/<str:tag>/transform/", transform_views.transform, name="transform"),
    path("hooks/<str:tag>/try/", transform_views.try_draft_page, name="try-transform"),
    path("hooks/<str:tag>/examples/", transform_views.examples, name="examples"),
]
