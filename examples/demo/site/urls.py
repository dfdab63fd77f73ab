"""Where the pages are."""

from __future__ import annotations

from django.urls import path

from examples.demo.site import views

urlpatterns = [
    path("health", views.health),
    path("tickets/<int:number>", views.ticket),
    path("tickets/<int:number>/job", views.ticket_with_job),
    path("ledger/<slug:shift>", views.ledger),
]
