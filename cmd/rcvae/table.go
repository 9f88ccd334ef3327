package main

import (
	"io"

	"rcvae/eval"
)

func writeTable(w io.Writer, r *eval.Result) error { return eval.WriteJSON(w, r) }
