// Package queue spreads work over many processes with NATS JetStream. A [Coordinator]
// publishes jobs and commits their results; any number of [Worker]s pull them:
//
//	coordinator ──job──► RCVAE_EMBED, RCVAE_SAMPLE ──► worker
//	coordinator ◄─────── RCVAE_DONE ◄──result────────── worker
//
// Jobs are delivered at least once, and a result is acknowledged when it is committed.
// Since a job's id is a hash of its content and committing it twice changes nothing, every
// result counts once, whatever is killed and when. What a worker could not do within its
// deliveries is told by the stream RCVAE_DEAD.
//
// [Embedder] puts a coordinator behind an [embed.Cache]; [EmbedSkill] is a worker's side
// of it. [SampleJob] and [SampleSkill] do the same for drawing candidates.
package queue
