"""A details file of lighteval, written by lighteval itself.

    python tools/golden/lighteval.py dataset/foreign/testdata/expected.jsonl dataset/foreign/testdata

The questions and candidates are those of the pool: GSM8K's prompt, several samples of each
document, and what the pipeline logs of them. Needs lighteval (0.13.0 made the file in the
repository) and datasets.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from datasets import Dataset
from lighteval.logging.evaluation_tracker import EvaluationTracker
from lighteval.models.model_output import ModelResponse
from lighteval.tasks.requests import SamplingMethod
from lighteval.tasks.tasks.gsm8k import gsm8k_prompt

DATE = "2026-01-02T03-04-05.678901"
TASK = "demo|0"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool")
    parser.add_argument("out")
    args = parser.parse_args()
    tracker = EvaluationTracker(output_dir=args.out, save_details=True)
    for i, line in enumerate(map(json.loads, Path(args.pool).read_text().splitlines())):
        samples = line["candidates"]
        doc = gsm8k_prompt({"question": line["question"], "answer": f"The answer is found in steps.\n#### {line['answer']}"}, TASK)
        doc.id, doc.num_samples, doc.generation_size, doc.stop_sequences = str(i), len(samples), 320, ["Question:"]
        doc.sampling_methods = [SamplingMethod.GENERATIVE]
        tokens = [list(range(c["n_tokens"])) for c in samples]
        response = ModelResponse(input=doc.query, input_tokens=[1, 2, 3], text=[c["text"] for c in samples], output_tokens=tokens)
        share = sum(c["correct"] for c in samples) / len(samples)
        tracker.details_logger.log(TASK, doc, response, {f"pass@k:k=1&n={len(samples)}": share, f"maj@n:n={len(samples)}": float(share > 0.5)})
    for task, details in tracker.details_logger.details.items():  # as EvaluationTracker.save does
        dataset = Dataset.from_list([asdict(detail) for detail in details])
        dataset.select_columns(sorted(dataset.column_names)).to_parquet(Path(args.out) / f"details_{task.split('|')[0]}_{DATE}.parquet")


if __name__ == "__main__":
    main()
