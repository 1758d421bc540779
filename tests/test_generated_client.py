"""openapi-python-client makes a working Python client of `/openapi.json`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import SAMPLES
from tests.serving import Server

CALLS = f"""
import sys
import numpy as np
from PIL import Image

from client import Client
from client.api.digits import native_predict, native_root
from client.api.open_inference_protocol_v_2 import open_inference_infer
from client.api.open_inference_protocol_v_2 import open_inference_model_metadata
from client.api.tensor_flow_serving_v_1 import tfserving_predict
from client.models import *
from client.types import File

pixels = np.asarray(Image.open({str(SAMPLES / "MNIST-7.png")!r}).convert("L").resize((28, 28)))
with Client(sys.argv[1], raise_on_unexpected_status=True) as client:
    print(native_root.sync(client=client).prediction)

    record = native_predict.sync(
        client=client, body=PicArrayRequest(pixels.tolist()), scores=NativePredictScores.TRUE
    )
    print(record.prediction, record.model)
    with open({str(SAMPLES / "MNIST-3.png")!r}, "rb") as stream:
        form = NativePredictFilesBody(File(stream, "MNIST-3.png", "image/png"))
        number = native_predict.sync(client=client, body=form, multi=NativePredictMulti.TRUE)
    print(number.text, [digit.prediction for digit in number.digits])
    error = native_predict.sync(client=client, body=PicArrayRequest([[7]]))
    print(type(error).__name__, error.error)

    flat = (1 - pixels.reshape(1, 784) / 255).tolist()
    request = TensorsRequest(instances=flat)
    scores = tfserving_predict.sync(TfservingPredictName.K_CNN, client=client, body=request)
    print(np.argmax(scores.predictions[0]))

    name = OpenInferenceModelMetadataName.T_CNN
    metadata = open_inference_model_metadata.sync(name, client=client)
    image = RequestInput(metadata.inputs[0].name, [1, 784], RequestInputDatatype.FP32, data=flat)
    request = InferRequest([image])
    result = open_inference_infer.sync(OpenInferenceInferName.T_CNN, client=client, body=request)
    print(result.outputs[0].shape, np.argmax(result.outputs[0].data))
"""


def _run(*command: str, folder: Path) -> str:
    # The generator formats the client with ruff.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        [sys.executable, *command], cwd=folder, env={**os.environ, "PATH": path}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.mark.slow
def test_a_generated_client(server: Server, tmp_path: Path) -> None:
    pytest.importorskip("openapi_python_client")
    (tmp_path / "openapi.json").write_bytes(server.ask("GET", "/openapi.json").body)
    output = _run(
        *("-m", "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none"),
        *("--output-path", "client"),
        folder=tmp_path,
    )
    # The generator knows no binary type but application/octet-stream.
    assert output.count("WARNING") == output.count("Unsupported content type image/*") == 1
    url = f"http://{server.host}:{server.port}"
    assert _run("-c", CALLS, url, folder=tmp_path).splitlines() == [
        "0",
        "7 k_cnn",
        "3 [3]",
        "ErrorRecord no digit in the picture: it is blank, or ink and paper are too similar; "
        "use a picture with more contrast",
        "7",
        "[1, 10] 7",
    ]
