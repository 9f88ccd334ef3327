// Package train makes a calibrated model of graded questions:
//
//	questions → embeddings and signals → cvae.Train → calibration → gain on held-out questions
//
// [Run] does all of it. Questions are held out by a hash of their id (see
// [rcvae.HeldOut]): they choose the best epoch and the τ of votes, and they show what
// the model is worth before anybody uses it.
package train
