package cvae

// batch is the work of one step: R encoder rows, one a sample, and M decoder rows.
// Samples that enter no term of the loss are left out.
type batch struct {
	samples []int       // (R), indices into Data.Solutions
	right   []bool      // (R)
	ranked  []bool      // (R), the row is in its list's listwise loss
	decodes []decodeRow // (M), in the order of their rows
	first   []int       // (R+1), row i has the decodes [first[i], first[i+1])
	lists   []list
}

// decodeRow is one pass of a sample through the decoder.
type decodeRow struct {
	row        int     // encoder row
	generative bool    // z is drawn, and the row counts in the ELBO; otherwise z = mu
	class      float32 // decoder input of the ratio objective: 1 right, 0 wrong
}

// list is the rows [from, to) of one mixed question.
type list struct {
	from, to int
	weight   float64 // all samples of the question, ranked or not
}

func (b *batch) reset() {
	b.samples, b.right, b.ranked = b.samples[:0], b.right[:0], b.ranked[:0]
	b.decodes, b.lists, b.first = b.decodes[:0], b.lists[:0], append(b.first[:0], 0)
}

// add appends the samples of q that matter: to the loss, or with validation to the
// value that epochs are compared by, which leaves the ELBO out when there is a
// listwise loss.
func (b *batch) add(c Config, d Data, q question, validation bool) {
	from := len(b.samples)
	for i := q.from; i < q.to; i++ {
		generative, ranked := c.ELBOWeight > 0, false
		switch c.Objective {
		case Contrastive:
			generative = generative && d.Correct[i]
			ranked = c.listwise() && q.mixed && d.Answered[i]
		case Ratio:
			generative = generative && d.Answered[i]
			ranked = c.listwise() && q.mixed && d.Answered[i]
		}
		if validation && c.listwise() {
			generative = false
		}
		if generative || ranked {
			b.addRow(c, i, d.Correct != nil && d.Correct[i], generative, ranked)
		}
	}
	if c.listwise() && q.mixed {
		b.lists = append(b.lists, list{from: from, to: len(b.samples), weight: float64(q.to - q.from)})
	}
}

func (b *batch) addRow(c Config, sample int, right, generative, ranked bool) {
	row := len(b.samples)
	b.samples = append(b.samples, sample)
	b.right = append(b.right, right)
	b.ranked = append(b.ranked, ranked)
	if generative {
		class := float32(0)
		if right {
			class = 1
		}
		b.decodes = append(b.decodes, decodeRow{row: row, generative: true, class: class})
	}
	if ranked && c.Objective == Ratio {
		b.decodes = append(b.decodes, decodeRow{row: row, class: 1}, decodeRow{row: row, class: 0})
	}
	b.first = append(b.first, len(b.decodes))
}
