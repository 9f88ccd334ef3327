package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/cvae"
	"rcvae/train"
)

func checkpointOf(out string) string { return out + ".checkpoint" }

// checkCheckpoint fails when the state of an interrupted training would be overwritten
// without a word.
func checkCheckpoint(cmd *cobra.Command, out string) error {
	if cmd.Flags().Changed("resume") {
		return nil
	}
	if _, err := os.Stat(checkpointOf(out)); err != nil {
		return nil //nolint:nilerr // there is none
	}
	return usagef("%s holds an interrupted training: add --resume to go on with it, or --resume=false to start anew in its place", checkpointOf(out))
}

// trainModel trains with progress bars and a log line per epoch.
func trainModel(cmd *cobra.Command, out string, config cvae.Config, questions []rcvae.Question, embedder *openedEmbedder) (*train.Result, error) {
	resume, _ := cmd.Flags().GetBool("resume")
	log, err := openTrainLog(trainLogOf(cmd, out))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := log.close(); err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "train: warning: %v\n", err)
		}
	}()
	provenance, err := json.Marshal(map[string]string{"command": commandLine(cmd, "resume"), "commit": commit})
	if err != nil {
		return nil, err
	}
	record, err := embedder.recordJSON()
	if err != nil {
		return nil, err
	}
	grader, err := answerGrader(graderFromPool)
	if err != nil {
		return nil, err
	}
	embedding, bar, done := embedder.progress(cmd, questions), newProgress(cmd, "training", "steps"), 0
	result, err := train.Run(cmd.Context(), config, questions, train.Options{
		Embedder: embedder.embedder(), Grader: grader,
		Options: cvae.Options{
			Checkpoint: checkpointOf(out), Resume: resume, Provenance: provenance, EmbedderRecord: record,
			OnStep: func(s cvae.StepLog) {
				embedding()
				done = (s.Epoch-1)*s.Steps + s.Step
				bar.update(done, s.Epochs*s.Steps)
			},
			OnEpoch: func(e cvae.EpochLog) {
				bar.note = fmt.Sprintf("loss %.4f, KL %.2f nats, %d active units", e.Loss, e.KL, e.ActiveUnits)
				log.add(e)
			},
			OnResume: log.restart,
		},
	})
	if errors.Is(err, context.Canceled) {
		return nil, whatIsLeft(cmd, out)
	}
	if err != nil {
		return nil, err
	}
	bar.done(done)
	return result, nil
}

// finishTraining shows what the model is worth and then writes it. As JSON everything
// comes in one piece when the file is there.
func finishTraining(cmd *cobra.Command, out string, result *train.Result) error {
	w := cmd.OutOrStdout()
	report := trainReport{out, result.Model.Summary(), result.HeldOut}
	asJSON, _ := cmd.Flags().GetBool("json")
	if !asJSON {
		if err := report.write(w); err != nil {
			return err
		}
	}
	if err := result.Model.Save(out); err != nil {
		return err
	}
	if err := os.Remove(checkpointOf(out)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the checkpoint of the finished training: %w", err)
	}
	if asJSON {
		return printJSON(cmd, report)
	}
	fmt.Fprintf(w, "\nmodel written to %s\n", out)
	return nil
}

// whatIsLeft says what an interrupted training has left, and how it goes on.
func whatIsLeft(cmd *cobra.Command, out string) error {
	if _, err := os.Stat(checkpointOf(out)); err == nil {
		return fmt.Errorf("train: interrupted; its state is in %s: add --resume to the same command to continue", checkpointOf(out))
	}
	if path, err := cachePath(cmd); err != nil || path == "" {
		return errors.New("train: interrupted before the first epoch; nothing is kept without a --cache")
	}
	return errors.New("train: interrupted before the first epoch; the embeddings so far are in the cache: the same command goes on from there")
}
