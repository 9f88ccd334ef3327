package cvae

// batch is the work of one step: R encoder rows, one per candidate with a role, and M
// decoder rows.
type batch struct {
	rows    []int       // (R), indices into data.candidates
	roles   []Role      // (R), in this batch
	lists   []List      //
	decodes []decodeRow // (M), in the order of their rows
	first   []int       // (R+1), row i has the decodes [first[i], first[i+1])
}

// decodeRow is one pass of a candidate through the decoder.
type decodeRow struct {
	row   int  // encoder row
	drawn bool // z is drawn, and the row counts in the ELBO; otherwise z = mu
	class int  // 1 correct, 0 incorrect
}

func (b *batch) reset() {
	b.rows, b.roles, b.lists = b.rows[:0], b.roles[:0], b.lists[:0]
	b.decodes, b.first = b.decodes[:0], append(b.first[:0], 0)
}

// add appends the candidates of q with one of the given roles.
func (b *batch) add(d *data, o Objective, q question, roles Role) {
	from := len(b.rows)
	for i := q.from; i < q.to; i++ {
		if role := d.candidates[i].role & roles; role != 0 {
			b.addRow(o, i, role, d.candidates[i].correct)
		}
	}
	if q.mixed {
		b.lists = append(b.lists, List{From: from, To: len(b.rows), Weight: float64(q.to - q.from)})
	}
}

func (b *batch) addRow(o Objective, candidate int, role Role, correct bool) {
	row := len(b.rows)
	b.rows, b.roles = append(b.rows, candidate), append(b.roles, role)
	if role.Has(InELBO) {
		own := 0
		if correct {
			own = 1
		}
		b.decodes = append(b.decodes, decodeRow{row: row, drawn: true, class: own})
	}
	if role.Has(InList) && o.Classes {
		b.decodes = append(b.decodes, decodeRow{row: row, class: 1}, decodeRow{row: row, class: 0})
	}
	b.first = append(b.first, len(b.decodes))
}
