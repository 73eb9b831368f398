# What `django-admin startproject` switches on, as far as webhooks meet it.
import importlib
import os

from django.urls import path

SECRET_KEY = 'not a secret'
DEBUG = True
ALLOWED_HOSTS = ['*']
ROOT_URLCONF = 'django_settings'
MIDDLEWARE = [
    'django.middleware.security.SecurityMiddleware',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.middleware.clickjacking.XFrameOptionsMiddleware',
]
urlpatterns = [path('webhooks/aspect', importlib.import_module('django_' + os.environ['HANDLER']).handler)]
