"""GeoDjango's database backend: `"ENGINE": "forksafe.django.gis"`.

All that forksafe.django is, with the fields and lookups of django.contrib.gis as its MySQL backend
has them. GeoDjango needs the libraries GEOS and GDAL.
"""
