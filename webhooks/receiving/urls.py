"""What others call."""

from django.urls import path

from webhooks.receiving.door import receive

# Somebody adds a slash: their webhooks are taken all the same.
urlpatterns = [path("<str:secret>", receive, name="hook"), path("<str:secret>/", receive)]
