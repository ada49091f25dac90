from django.apps import AppConfig


class IndexingConfig(AppConfig):
    name = "indexing"
    verbose_name = "What is kept"
    default_auto_field = "django.db.models.BigAutoField"
