"""The built-in receiver, there with `DEMO=1` only: a first job succeeds though its author has no server yet."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from badgerjobs.lib.vault import mask


@csrf_exempt
def echo(request: HttpRequest, rest: str = "") -> JsonResponse:
    """Answer with what was asked, but for credentials: what a run was answered is read by more than made its job."""
    return JsonResponse(
        {
            "method": request.method,
            "path": f"/echo/{rest}",
            "query": request.GET.dict(),
            "headers": mask(request.headers),
            "body": request.body.decode(errors="replace"),
        }
    )
