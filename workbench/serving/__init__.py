"""Serving the page: Voila for the dashboard, JupyterLab for the notebooks.

Both servers run in this process, so that it can choose the port, end kernels whose page is gone,
and leave no process behind. What the page needs (notebooks, files for the browser, a template) is given by
the caller as a :class:`~workbench.serving.page.Page`.

What a kernel learns from its server is in environment variables:

=========================== ============================================================
``WORKBENCH_SCHEDULER``     address of the cluster that all pages share
``WORKBENCH_FOLDER``        the folder of the workbench; in shared mode one per visitor
``WORKBENCH_LANGUAGE``      one of :data:`workbench.api.text.LANGUAGES`
``WORKBENCH_SHARED``        ``1``: strangers use this page; no trust switch, one job each
``WORKBENCH_UPLOADS``       ``1``: visitors may bring files; always so when not shared
``WORKBENCH_UPLOAD_LIMIT``  the largest message from page to kernel, in bytes
=========================== ============================================================
"""
