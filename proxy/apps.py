from django.apps import AppConfig


class ProxyConfig(AppConfig):
    name = "proxy"
    verbose_name = "What goes out"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from capture.services import besides

        besides.NAMES.append("proxy.saved.watch.look")
