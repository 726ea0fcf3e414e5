"""Addresses of pages, the API, health and figures."""

from allauth.socialaccount.providers.openid_connect.views import callback
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sessions_app.access.single_sign_on import offered_provider, start

from . import PRODUCT_NAME, application, health
from .api import api
from .metrics import metrics
from .words import words

log_in = LoginView.as_view(template_name="accounts/login.html", extra_context={"provider": offered_provider})

urlpatterns = [
    path("", include("sessions_app.urls")),
    path("people/", include("speakers.urls")),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    path("login/", log_in, name="login"),
    path("login/", log_in, name="account_login"),
    path("login/oidc/<str:provider_id>/login/", start, name="openid_connect_login"),
    path("login/oidc/<str:provider_id>/login/callback/", callback, name="openid_connect_callback"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", include("django.conf.urls.i18n")),
    path("words.js", words, name="words"),
    path("manifest.webmanifest", application.manifest, name="manifest"),
    path("service-worker.js", application.service_worker, name="service-worker"),
    path("offline/", application.offline, name="offline"),
    path("share", application.share_target, name="share-target"),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", metrics),
]

admin.site.site_header = format_lazy(_("{product} administration"), product=PRODUCT_NAME)
admin.site.site_title = PRODUCT_NAME
admin.site.index_title = _("Administration")

handler400 = "asrsite.errors.bad_request"
handler403 = "asrsite.errors.forbidden"
handler404 = "asrsite.errors.not_found"
handler500 = "asrsite.errors.server_error"
