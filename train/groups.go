package train

import (
	"cmp"
	"slices"
	"strings"

	"rempart/campaign"
	"rempart/corpus"
)

// deal puts mails into folds so that near copies and one sender's mails are in one, and each fold has its part of each label
// and age: the largest groups first, in turn.
func deal(mails []Mail) {
	var groups campaign.Groups
	senders := map[string]int{}
	for i := range mails {
		groups.Add()
		m := corpus.Mail(mails[i].Raw)
		if sender := strings.ToLower(m.From.String()); sender != "" {
			if j, ok := senders[sender]; ok {
				groups.Unite(i, j)
			}
			senders[sender] = i
		}
		if d, ok := campaign.Sum(m.Subject, m.VisibleText()); ok {
			groups.Copy(i, d)
		}
	}
	size := map[int]int{}
	for i := range mails {
		mails[i].group = groups.Root(i)
		size[mails[i].group]++
	}
	order := make([]int, 0, len(size))
	for group := range size {
		order = append(order, group)
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(size[b], size[a]), cmp.Compare(a, b)) })
	fold := map[int]int{}
	var load [2][16][Folds]int
	for _, group := range order {
		label, age := 0, mails[group].Age%16
		if mails[group].Spam {
			label = 1
		}
		least := 0
		for k, n := range load[label][age] {
			if n < load[label][age][least] {
				least = k
			}
		}
		fold[group] = least
		load[label][age][least] += size[group]
	}
	for i := range mails {
		mails[i].Fold = fold[mails[i].group]
	}
}
