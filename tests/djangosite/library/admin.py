"""The library in the admin."""

from django.contrib import admin

from tests.djangosite.library.models import Author, Book

admin.site.register(Author)
admin.site.register(Book)
