"""Addresses of pages, the API, health and figures."""

from allauth.account.views import reauthenticate
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount.providers.openid_connect.views import callback
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sessions_app.access.single_sign_on import start
from sessions_app.views import second_factor
from sessions_app.views.login import LogIn, admin_login

from . import PRODUCT_NAME, application, health
from .api import api
from .api_reference import sockets_described
from .metrics import metrics
from .words import words

second_factor_urls = [
    path("", second_factor.overview, name="mfa_index"),
    path("app/", totp.activate_totp, name="mfa_activate_totp"),
    path("app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("codes/file/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("passkeys/", second_factor.overview, name="mfa_list_webauthn"),
    path("passkeys/new/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/remove/", second_factor.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
]

log_in = LogIn.as_view()

urlpatterns = [
    path("", include("sessions_app.urls")),
    path("people/", include("speakers.urls")),
    path("admin/login/", admin_login, name="admin-login"),
    path("admin/", admin.site.urls),
    path("api/asyncapi.json", sockets_described, name="asyncapi"),
    path("api/", api.urls),
    path("login/", log_in, name="login"),
    path("login/", log_in, name="account_login"),
    path("login/oidc/<str:provider_id>/login/", start, name="openid_connect_login"),
    path("login/oidc/<str:provider_id>/login/callback/", callback, name="openid_connect_callback"),
    path("login/second-step/", mfa.authenticate, name="mfa_authenticate"),
    path("login/set-up/", second_factor.demanded, name="demanded-second-factor"),
    path("account/confirm/", reauthenticate, name="account_reauthenticate"),
    path("account/second-factor/", include(second_factor_urls)),
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
