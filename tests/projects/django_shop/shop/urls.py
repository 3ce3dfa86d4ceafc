"""The paths of the project."""

from django.urls import path
from orders import views

urlpatterns = [
    path("orders/<int:number>", views.order),
    path("crash", views.crash),
    path("migrate", views.migrate),
    path("stock", views.stock),
    path("pay/<int:number>", views.pay),
]
