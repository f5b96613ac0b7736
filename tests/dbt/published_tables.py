"""Small tables in the shapes in which others publish theirs, with their original quirks."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

LLM = """\
Hardware,Num of Hardware,Framework,Model,Input Output Length,Batch Size,Latency,Throughput,avg_power,end_latency 
Nvidia A100 GPU,1,vLLM,meta-llama/Llama-2-7b-hf,1024,16,25.05,1308.077637,292973.44,
Nvidia GH200 GPU,1,llama.cpp,meta-llama/Meta-Llama-3-8B,1024,16,11.169,183.362661,,
Intel PVC GPU,1,vLLM,meta-llama/Llama-2-7b-hf,1024,1,20.1,101.8905,,
Intel Max 1550,1,vLLM,meta-llama/Llama-2-7b-hf,1024,1,20.2,101.3861,,
Nvidia A100 GPU,1,vLLM,meta-llama/Llama-2-7b-hf,1024,1,0.0139,146527.9,,
"""
TIMM_4090 = """\
model,infer_samples_per_sec,infer_step_time,infer_batch_size,infer_img_size,infer_gmacs,infer_macts,param_count
test_vit,260723.52,3.909,1024,160,0.04,0.48,0.37
"""
TIMM_RTX4090 = """\
model,infer_img_size,infer_batch_size,infer_samples_per_sec,infer_step_time,infer_gmacs,infer_macts,param_count
test_vit,160,1024,250000.00,4.096,0.04,0.48,0.37
"""
TIMM_CPU = """\
model,infer_samples_per_sec,infer_step_time,infer_batch_size,infer_img_size,param_count
vit_huge,0.05,21270.0,1,448,632.0
"""
ML_ENERGY = {
    "Model": "facebook/chameleon-30b",
    "GPU": "NVIDIA A100-SXM4-40GB",
    "TP": 4,
    "PP": 1,
    "Energy/req (J)": 440.9070067874307,
    "Avg TPOT (s)": 0.0888798582531781,
    "Token tput (tok/s)": 313.0667362865671,
    "Avg Output Tokens": 178.794,
    "Avg BS (reqs)": 31.794771241830066,
    "Max BS (reqs)": 32,
}
ML_ENERGY_LEGACY = """\
model,throughput,response_length,latency,energy
lmsys/vicuna-7B,29.829026631206286,271.9100067159167,9.132098360456242,2143.52561215591
"""
AWS_LATENCY = """\
Model,Scripts,Framework,Inst. Type,Task,Throughput (inference/sec),Latency P50 (ms),Latency P99 (ms),Application Type,Neuron Version,Run Mode,Batch Size,Sequence Length,Model Data Type,Compilation Autocast Data Type,OS Type
albert-base-v2,:benchmark-pt:`Benchmark <inf2>`,PyTorch 2.9,trn1.2xlarge,Raw Output (AutoModel),2321.97758889,0.85997581,0.9086132,Real Time,2.27.0,Data Parallel,1,128,FP32,Matmult-BF16,U22
"""
AWS_THROUGHPUT = AWS_LATENCY.replace("Real Time", "Batch")
AWS_TRAINING = """\
Model,Instance-Type,Training Data-Type,Nodes,Topology,Microbatch,Globalbatch, Optimizer, Performance [seq/sec],MFU[%],Neuron Version
GPT3-23B pre-training,trn1.32xlarge/trn1n.32xlarge,Autocast:BF16+SR,32,TP=8 DP=32 PP=4,1,1024,AdamW,100,29.65,2.15.0
"""
RKNN = """\
## Model performance benchmark(FPS)

| demo | model_name | inputs_shape&nbsp;&nbsp; | dtype | RK3566<br />RK3568 | RK3588<br />@single_core | RV1109 |
| ---- | ---------- | ------------------------ | ----- | ------------------ | ------------------------ | ------ |
| yolov5 | yolov5s | [1, 3, 640, 640] | INT8 | **19.3** | 48.4 | 13.6 |
|        | yolov5m | [1, 3, 640, 640] | INT8 | 8.6 | 20.9 | / |
| LPRNet | lprnet | [1, 3, 24, 94] | FP16 | 143.2 | 586.4 | 30.6(INT8) |
| whisper | whisper_base_20s | 20s audio | FP16 | RTF <br>1.178 | RTF <br>0.215 | / |
"""
NATIVE = """\
\ufeffmodel_name,model_type,hardware,device_count,framework,precision,batch_size,input_length,output_length,throughput,throughput_unit,latency_ms,status,,notes 
a,text_generation,NVIDIA A100‑SXM4‑40GB,1,x,FLOAT16,1,8,8,101,output_tokens/s,,,,non-breaking hyphens
a,text_generation,A100 80GB,1,x,half,1,8,8,102,output_tokens/s,,,,
a,text_generation,a100,1,x,fp16,1,8,8,103,output_tokens/s,,,,
a,text_generation,T4,1,x,fp16,1,8,8,104,output_tokens/s,,,,
a,text_generation,T40XP,1,x,fp16,1,8,8,105,output_tokens/s,,,,
a,text_generation,RTX 6000,1,x,fp16,1,8,8,106,output_tokens/s,,,,
a,text_generation,RTX 6000 Ada,1,x,fp16,1,8,8,107,output_tokens/s,,,,
a,text_generation,NVIDIA RTX PRO 6000 Blackwell Server Edition,1,x,fp16,1,8,8,108,output_tokens/s,,,,
b,text_generation,T4,4,x,fp16,1,8,8,25,output_tokens/s/gpu,,,,
b,text_generation,T4,4,x,fp16,1,8,8,200,tokens/s,,,,
b,text_generation,T4,1,x,fp16,2,8,8,"**1,234.5**",output_tokens/s,,,,
b,text_generation,T4,1,x,fp16,4,8,8,0,output_tokens/s,12,,,
b,text_generation,T4,1,x,fp16,8,8,8,N/A,output_tokens/s,/,oom,,
b,text_generation,T4,1,x,fp16,16,8,8,fast,output_tokens/s,,,,
b,text_generation,T4,1,x,fp16,32,8,8,300,output_tokens/s,12.5 ms,,,
"""


def _device(chipset: str, name: str, **runtimes: dict) -> dict:
    return {**runtimes, "reference_device_info": {"name": name, "chipset": chipset}}


TFLITE = {
    "inference_time": 5645.0,
    "throughput": 177.14791851195747,
    "estimated_peak_memory_range": {"min": 139264, "max": 2454832},
    "primary_compute_unit": "NPU",
    "precision": "fp16",
    "job_status": "Passed",
}
CONVNEXT = {
    "models": [
        {
            "name": "ConvNext-Tiny",
            "performance_metrics": [
                _device(
                    "Snapdragon® 8 Gen 2", "Samsung Galaxy S23", torchscript_onnx_tflite=TFLITE
                ),
                _device(
                    "Qcs8550",
                    "QCS8550 (Proxy)",
                    torchscript_onnx_tflite={**TFLITE, "primary_compute_unit": "CPU"},
                    torchscript_onnx_qnn={
                        **TFLITE,
                        "inference_time": "null",
                        "job_status": "Skipped",
                    },
                ),
            ],
        }
    ]
}
INDUS = {
    "models": {
        "name": "IndusQ-1.1B",
        "performance_metrics": [
            _device(
                "Snapdragon® 8 Elite",
                "Snapdragon 8 Elite QRD",
                torchscript_onnx_qnn={
                    "llm_metrics": {
                        "time_to_first_token_range": {"min": 28561, "max": 228489},
                        "tokens_per_second": 74.60,
                    },
                    "evaluation_metrics": None,
                },
            )
        ],
    }
}


def _mlperf(**changes: object) -> dict:
    record = {
        "Submitter": "GATEOverflow",
        "UsedModel": "llama2-70b-99.9",
        "Model": "llama2-70b-99.9",
        "Scenario": "Offline",
        "Platform": "H200x8",
        "Nodes": 1,
        "Processor": "Intel Xeon",
        "host_processors_per_node": 2,
        "Accelerator": "NVIDIA H200-SXM-141GB",
        "a#": 8,
        "Software": "TensorRT 10.2, CUDA 12.4",
        "version": "v5.1",
        "weight_data_types": "fp8",
        "Performance_Result": 34000.5,
        "Performance_Units": "Tokens/s",
    }
    return record | changes


MLPERF = [
    _mlperf(),
    # the same number for the other goal
    _mlperf(UsedModel="llama2-70b-99", Model="llama2-70b-99"),
    # another round types its counts otherwise
    _mlperf(
        Scenario="Server", **{"a#": "8.0", "Nodes": "1"}, Power_Result=6000.0, Power_Units="Watts"
    ),
    _mlperf(
        Scenario="SingleStream",
        UsedModel="resnet50",
        Model="resnet",
        weight_data_types="INT8",
        Performance_Result=1.52,
        Performance_Units="Latency (ms)",
        Power_Result=46.25,
        Power_Units="millijoules",
        **{"a#": 1},
    ),
    _mlperf(
        Scenario="SingleStream",
        UsedModel="retinanet",
        Model="retinanet",
        weight_data_types="{'backbone': 'int8', 'head': 'fp16'}",
        Performance_Result=0.0125,
        Performance_Units="Latency (s)",
        **{"a#": 1},
    ),
    _mlperf(Platform="87xMI355X", Nodes=11, Accelerator="AMD Instinct MI355X 288GB HBM3e (x87)"),
    _mlperf(
        Submitter="MangoBoost",
        Platform="mixed",
        Nodes=6,
        Accelerator="AMD Instinct MI300X 192GB HBM3 (x32), AMD Instinct MI325X 256GB HBM3e (x16)",
        Performance_Result=103182,
    ),
    _mlperf(
        Platform="cpu",
        Scenario="Server",
        Accelerator="",
        Processor="2xAMD EPYC 9374F",
        **{"a#": ""},
    ),
    _mlperf(Platform="virtual", Accelerator="Virtualized NVIDIA H200-SXM-141GB"),
]
VENDOR = """\
Organization,Availability,Division,SystemName,Platform,Model,MlperfModel,Scenario,Result,number_of_nodes,accelerator_model_name,accelerators_per_node,framework,compilance,version,Units
GIGABYTE,available,closed,G493,H100x8,bert-99,bert-99,Offline,39712.2,1,NVIDIA H100-PCIe-80GB,8,"TensorRT 8.6.0, CUDA 12.0",1,v3.0,Samples/s
"""


def framework_database(path: Path) -> None:
    """A database of the test framework with a measured, a simulated and a failed run."""
    with duckdb.connect(str(path)) as con:
        con.execute(
            "create table hardware_platforms as select 1 as hardware_id, 'gpu' as hardware_type,"
            " 'NVIDIA L4' as device_name, 'CUDA' as platform, '12.2' as platform_version,"
            " '535' as driver_version, 24.0 as memory_gb, 58 as compute_units, '{}' as metadata"
        )
        con.execute(
            "create table models as select 7 as model_id, 'tiny-bert' as model_name, 'bert' as"
            " model_family, 'text_embedding' as modality, 'hf' as source, '1' as version,"
            " 4.4 as parameters_million, '{}' as metadata"
        )
        con.execute(
            "create table test_runs as select * from (values (2, true), (3, false)) as t(run_id, success),"
            " (select 'n' as test_name, 'inference' as test_type, now() as started_at,"
            " now() as completed_at, 'c' as git_commit, '{}' as metadata)"
        )
        con.execute(
            "create table performance_results as select * from (values"
            " (1, 2, 7, 1, 'embed', 8, 'fp16', 12.5, 640.0, 512.0, 100, 10, '{\"power_w\": 71.5}', false, null),"
            " (2, 2, 7, 1, 'embed', 8, 'fp16', 0.1, 9e9, 1.0, 0, 0, '{}', true, 'no such device here'),"
            " (3, 3, 7, 1, 'embed', 64, 'fp16', null, null, null, 0, 0, '{}', false, null))"
            " as t(result_id, run_id, model_id, hardware_id, test_case, batch_size, precision,"
            " average_latency_ms, throughput_items_per_second, memory_peak_mb, iterations,"
            " warmup_iterations, metrics, is_simulated, simulation_reason)"
        )


def as_yaml(document: object) -> str:
    """JSON is YAML."""
    return json.dumps(document, indent=1, ensure_ascii=False)


def write_tables(raw: Path) -> None:
    """All of them, in the folders in which they are published."""
    files = {
        "llm/All_results.csv": LLM,
        "timm/benchmark-infer-amp-nchw-pt291-cu128-4090.csv": TIMM_4090,
        "timm/benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv": TIMM_RTX4090,
        "timm/benchmark-infer-fp32-nchw-pt240-cpu-i9_10940x-dynamo.csv": TIMM_CPU,
        "llm_text_generation/chat/A100-SXM4-40GB/run.json": json.dumps(ML_ENERGY),
        "legacy/A40_chat-concise_benchmark.csv": ML_ENERGY_LEGACY,
        "aws/trn1/latency_data_encoder.csv": AWS_LATENCY,
        "aws/trn1/throughput_data_encoder.csv": AWS_THROUGHPUT,
        "aws/trn1/trn1_trn1n_nlp_data.csv": AWS_TRAINING,
        "rknn/README.md": RKNN,
        "native.csv": NATIVE,
        "qualcomm/convnext_tiny/perf.yaml": as_yaml(CONVNEXT),
        "qualcomm/indus_1b_quantized/perf.yaml": as_yaml(INDUS),
        "mlperf/summary_results.json": json.dumps(MLPERF),
        "mlperf/summary.csv": VENDOR,
    }
    for name, content in files.items():
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    framework_database(raw / "framework.duckdb")
