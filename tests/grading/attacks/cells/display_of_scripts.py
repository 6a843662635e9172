"""Display HTML, SVG, JavaScript, LaTeX and widgets that would run in the browser of whoever reads the feedback."""

from IPython.display import HTML, SVG, Javascript, Latex, Markdown, display

script = "<script>alert(document.cookie)</script><img src=x onerror=alert(1)>"
for each in (HTML(script), Javascript("alert(1)"), Latex(script), Markdown(script)):
    display(each)
display(SVG(f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'))
display({"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/html": script}, raw=True)
display({"image/png": f'"><script>alert(1)</script>', "image/jpeg": script}, raw=True)
HTML(script)
