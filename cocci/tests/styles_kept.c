// SPDX-License-Identifier: GPL-2.0
// Where a handler keeps what it knows: structs by value and by pointer, arrays, counters, flags, callbacks, macros.
// What is not understood there is undecidable, and no finding.
#include "kernel.h"

/* ---- a class that is a struct ---- */

struct k0_hold {
	struct inode *inode;
	struct folio *folio;
	long got;
};

static inline struct k0_hold k0_take(struct vm_fault *vmf)
{
	struct k0_hold h = { .inode = file_inode(vmf->vma->vm_file) };

	sb_start_pagefault(h.inode->i_sb);
	h.got = filemap_mkwrite_lock(vmf);
	if (h.got >= 0)
		h.folio = page_folio(vmf->page);
	return h;
}

static inline void k0_drop(struct k0_hold *h)
{
	if (h->folio)
		folio_unlock(h->folio);
	sb_end_pagefault(h->inode->i_sb);
}
DEFINE_CLASS(k0_hold, struct k0_hold, k0_drop(&_T), k0_take(vmf), struct vm_fault *vmf)

/* the destructor unlocks unless the field was cleared */
vm_fault_t ok_k0_page_mkwrite(struct vm_fault *vmf)
{
	CLASS(k0_hold, h)(vmf);

	if (!h.folio)
		return vmf_fs_error(h.got);
	if (foo_prepare(h.inode, h.folio))
		return VM_FAULT_SIGBUS;
	folio_mark_dirty(h.folio);
	h.folio = NULL;
	return VM_FAULT_LOCKED;
}

/* cleared before the error, too */
vm_fault_t bad_balance_k1_page_mkwrite(struct vm_fault *vmf)
{
	CLASS(k0_hold, h)(vmf);
	struct folio *folio = h.folio;

	if (!folio)
		return vmf_fs_error(h.got);
	h.folio = NULL;
	if (foo_prepare(h.inode, folio))
		return VM_FAULT_SIGBUS;
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/* not cleared at all */
vm_fault_t bad_balance_k2_page_mkwrite(struct vm_fault *vmf)
{
	CLASS(k0_hold, h)(vmf);

	if (!h.folio)
		return vmf_fs_error(h.got);
	folio_mark_dirty(h.folio);
	return VM_FAULT_LOCKED;
}

/* ---- a struct in a struct, by pointer ---- */

struct k3_outer {
	struct k0_hold *hold;
	struct vm_fault *vmf;
	int error;
};

static void k3_begin(struct k3_outer *o)
{
	long n = filemap_mkwrite_lock(o->vmf);

	if (n < 0)
		o->error = n;
	else
		o->hold->folio = page_folio(o->vmf->page);
}

static void k3_end(struct k3_outer *o)
{
	if (o->error && o->hold->folio)
		folio_unlock(o->hold->folio);
	sb_end_pagefault(o->hold->inode->i_sb);
}

vm_fault_t ok_k3_page_mkwrite(struct vm_fault *vmf)
{
	struct k0_hold hold = { .inode = file_inode(vmf->vma->vm_file) };
	struct k3_outer o = { .hold = &hold, .vmf = vmf };

	sb_start_pagefault(hold.inode->i_sb);
	k3_begin(&o);
	if (!o.error)
		o.error = foo_reserve_page(hold.inode, vmf->pgoff);
	if (!o.error)
		folio_mark_dirty(hold.folio);
	k3_end(&o);
	return vmf_fs_error(o.error);
}

/* the folio is not entered, and so stays locked with an error */
vm_fault_t bad_balance_k4_page_mkwrite(struct vm_fault *vmf)
{
	struct k0_hold hold = { .inode = file_inode(vmf->vma->vm_file) };
	struct k3_outer o = { .hold = &hold, .vmf = vmf };
	long n;

	sb_start_pagefault(hold.inode->i_sb);
	n = filemap_mkwrite_lock(vmf);
	o.error = n < 0 ? n : foo_reserve_page(hold.inode, vmf->pgoff);
	if (!o.error)
		folio_mark_dirty(page_folio(vmf->page));
	k3_end(&o);
	return vmf_fs_error(o.error);
}

/* ---- flags ---- */

enum { K5_FROZEN = BIT(0), K5_HELD = BIT(1) };

static void k5_undo(struct vm_fault *vmf, unsigned int done)
{
	if (done & K5_HELD)
		folio_unlock(page_folio(vmf->page));
	if (done & K5_FROZEN)
		sb_end_pagefault(file_inode(vmf->vma->vm_file)->i_sb);
}

vm_fault_t ok_k5_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned int done = 0;
	long err;

	sb_start_pagefault(inode->i_sb);
	done |= K5_FROZEN;
	err = filemap_mkwrite_lock(vmf);
	if (err >= 0) {
		done |= K5_HELD;
		err = foo_reserve_page(inode, vmf->pgoff);
	}
	if (!err) {
		folio_mark_dirty(page_folio(vmf->page));
		done &= ~K5_HELD;
	}
	k5_undo(vmf, done);
	return vmf_fs_error(err);
}

/* the flag is still up when all went well */
vm_fault_t bad_balance_k6_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned int done = K5_FROZEN;
	long err;

	sb_start_pagefault(inode->i_sb);
	err = filemap_mkwrite_lock(vmf);
	if (err >= 0) {
		done |= K5_HELD;
		err = foo_reserve_page(inode, vmf->pgoff);
	}
	if (!err)
		folio_mark_dirty(page_folio(vmf->page));
	k5_undo(vmf, done);
	return vmf_fs_error(err);
}

/* the other flag is never up */
vm_fault_t bad_freeze_k7_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned int done = 0;
	long err;

	sb_start_pagefault(inode->i_sb);
	err = filemap_mkwrite_lock(vmf);
	if (err >= 0)
		folio_mark_dirty(page_folio(vmf->page));
	k5_undo(vmf, done);
	return err < 0 ? vmf_fs_error(err) : VM_FAULT_LOCKED;
}

#define K8_LOCKED 3

vm_fault_t ok_k8_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	unsigned long state = 0;
	long err;

	sb_start_pagefault(inode->i_sb);
	err = filemap_mkwrite_lock(vmf);
	if (err >= 0) {
		__set_bit(K8_LOCKED, &state);
		err = foo_prepare(inode, folio);
		if (!err) {
			folio_mark_dirty(folio);
			__clear_bit(K8_LOCKED, &state);
		}
	}
	if (test_bit(K8_LOCKED, &state))
		folio_unlock(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* asks for the other answer */
vm_fault_t bad_balance_k9_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	unsigned long state = 0;
	long err;

	sb_start_pagefault(inode->i_sb);
	err = filemap_mkwrite_lock(vmf);
	if (err >= 0) {
		__set_bit(K8_LOCKED, &state);
		err = foo_prepare(inode, folio);
		if (!err)
			folio_mark_dirty(folio);
	}
	if (err && !test_bit(K8_LOCKED, &state))
		folio_unlock(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* ---- arrays and counters ---- */

struct k10_stack {
	struct folio *folios[4];
	int nr;
};

static void k10_push(struct k10_stack *s, struct folio *folio)
{
	s->folios[s->nr++] = folio;
}

static void k10_unlock_all(struct k10_stack *s)
{
	while (s->nr > 0)
		folio_unlock(s->folios[--s->nr]);
}

vm_fault_t ok_k10_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct k10_stack s = { .nr = 0 };
	long err;

	sb_start_pagefault(inode->i_sb);
	err = filemap_mkwrite_lock(vmf);
	if (err >= 0) {
		k10_push(&s, page_folio(vmf->page));
		err = foo_reserve_page(inode, vmf->pgoff);
		if (!err) {
			folio_mark_dirty(s.folios[0]);
			s.nr = 0;
		}
	}
	k10_unlock_all(&s);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* in the array, and not counted */
vm_fault_t bad_balance_k11_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct k10_stack s = { .nr = 0 };
	long err;

	sb_start_pagefault(inode->i_sb);
	err = filemap_mkwrite_lock(vmf);
	if (err >= 0) {
		s.folios[s.nr] = page_folio(vmf->page);
		err = foo_reserve_page(inode, vmf->pgoff);
		if (!err)
			folio_mark_dirty(s.folios[0]);
	}
	k10_unlock_all(&s);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* ---- macros, and a statement expression that jumps ---- */

#define K12_FAILED(x)	((x) < 0)
#define K12_LOCK(vmf, label) ({				\
	long _n = filemap_mkwrite_lock(vmf);		\
							\
	if (K12_FAILED(_n)) {				\
		err = _n;				\
		goto label;				\
	}						\
	_n;						\
})

vm_fault_t ok_k12_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, err;

	sb_start_pagefault(inode->i_sb);
	len = K12_LOCK(vmf, out);
	err = foo_reserve(inode, folio_pos(folio), len);
	if (K12_FAILED(err))
		folio_unlock(folio);
	if (!K12_FAILED(err)) {
		folio_mark_dirty(folio);
		err = 0;
	}
out:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* jumps over the end of freeze protection */
vm_fault_t bad_freeze_k13_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, err;

	sb_start_pagefault(inode->i_sb);
	len = K12_LOCK(vmf, out);
	err = foo_reserve(inode, folio_pos(folio), len);
	if (K12_FAILED(err))
		folio_unlock(folio);
	else
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
out:
	return vmf_fs_error(err);
}

/* ---- callbacks ---- */

static int k14_locked(struct vm_fault *vmf, int (*work)(struct inode *, struct folio *), bool undo)
{
	struct folio *folio = page_folio(vmf->page);
	long n = filemap_mkwrite_lock(vmf);
	int err;

	if (n < 0)
		return n;
	err = work(file_inode(vmf->vma->vm_file), folio);
	if (err && undo)
		folio_unlock(folio);
	return err;
}

static int k14_work(struct inode *inode, struct folio *folio)
{
	int err = foo_prepare(inode, folio);

	if (!err)
		folio_mark_dirty(folio);
	return err;
}

vm_fault_t ok_k14_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	int err;

	sb_start_pagefault(inode->i_sb);
	err = k14_locked(vmf, k14_work, true);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* nobody unlocks after an error */
vm_fault_t bad_balance_k15_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	int err;

	sb_start_pagefault(inode->i_sb);
	err = k14_locked(vmf, k14_work, false);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

struct k16_steps {
	int (*enter)(struct vm_fault *vmf);
	void (*leave)(struct vm_fault *vmf);
};

/* what the steps do cannot be seen */
vm_fault_t ok_k16_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	const struct k16_steps *steps = inode->i_private;
	int err;

	sb_start_pagefault(inode->i_sb);
	err = steps->enter(vmf);
	if (!err) {
		err = foo_reserve_page(inode, vmf->pgoff);
		if (err)
			steps->leave(vmf);
		else
			folio_mark_dirty(page_folio(vmf->page));
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* ---- what other functions may do, by their names ---- */

bool k17_is_held(struct k0_hold *h);
void k17_note(struct k0_hold *h);

/* what it knows of the lock is kept in a struct */
vm_fault_t ok_k17_page_mkwrite(struct vm_fault *vmf)
{
	struct k0_hold h = { .inode = file_inode(vmf->vma->vm_file), .folio = page_folio(vmf->page) };
	long err;

	sb_start_pagefault(h.inode->i_sb);
	err = filemap_mkwrite_lock(vmf);
	if (err >= 0) {
		k17_note(&h);
		err = foo_reserve_page(h.inode, vmf->pgoff);
	}
	if (!err)
		folio_mark_dirty(h.folio);
	else if (k17_is_held(&h))
		folio_unlock(h.folio);
	sb_end_pagefault(h.inode->i_sb);
	return vmf_fs_error(err);
}

/* wrong, whatever the answer */
vm_fault_t bad_balance_k18_page_mkwrite(struct vm_fault *vmf)
{
	struct k0_hold h = { .inode = file_inode(vmf->vma->vm_file), .folio = page_folio(vmf->page) };
	long err;

	sb_start_pagefault(h.inode->i_sb);
	err = filemap_mkwrite_lock(vmf);
	if (err >= 0) {
		k17_note(&h);
		err = foo_reserve_page(h.inode, vmf->pgoff);
	}
	if (!err)
		folio_mark_dirty(h.folio);
	if (k17_is_held(&h))
		k17_note(&h);
	sb_end_pagefault(h.inode->i_sb);
	return vmf_fs_error(err);
}

/* freeze protection and ->mapping are somebody else's, perhaps */
vm_fault_t ok_k19_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	int err;

	if (!foo_write_enter(inode->i_sb))
		return VM_FAULT_SIGBUS;
	folio_lock(folio);
	err = foo_still_ours(folio, inode);
	if (!err && folio_pos(folio) >= i_size_read(inode))
		err = -EFAULT;
	if (err)
		folio_unlock(folio);
	else
		folio_mark_dirty(folio);
	foo_write_exit(inode->i_sb);
	return vmf_fs_error(err);
}

/* nobody takes freeze protection */
vm_fault_t bad_freeze_k20_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	long n;

	if (foo_reserve_space(inode, PAGE_SIZE))
		return VM_FAULT_SIGBUS;
	n = filemap_mkwrite_lock(vmf);
	if (n < 0)
		return vmf_fs_error(n);
	folio_mark_dirty(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

/* ---- return_ptr() ---- */

DEFINE_FREE(k21_unlock, struct folio *, if (!IS_ERR_OR_NULL(_T)) folio_unlock(_T))

static struct folio *k21_get(struct vm_fault *vmf, struct inode *inode)
{
	struct folio *folio __free(k21_unlock) = page_folio(vmf->page);

	folio_lock(folio);
	if (folio->mapping != inode->i_mapping)
		return ERR_PTR(-EAGAIN);
	if (folio_pos(folio) >= i_size_read(inode))
		return ERR_PTR(-EIO);
	return_ptr(folio);
}

vm_fault_t ok_k21_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;

	sb_start_pagefault(inode->i_sb);
	folio = k21_get(vmf, inode);
	if (!IS_ERR(folio))
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(PTR_ERR_OR_ZERO(folio));
}

/* it is locked, and nothing says so */
vm_fault_t bad_balance_k22_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;
	vm_fault_t ret = VM_FAULT_NOPAGE;

	sb_start_pagefault(inode->i_sb);
	folio = k21_get(vmf, inode);
	if (!IS_ERR(folio) && !foo_prepare(inode, folio)) {
		folio_mark_dirty(folio);
		ret = VM_FAULT_LOCKED;
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* ---- a claim within min() ---- */

/* the page is prepared from the beginning of the folio */
vm_fault_t ok_k23_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	size_t at = folio_page_idx(folio, vmf->page) * PAGE_SIZE;
	long len, upto;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0) {
		upto = min_t(long, len, at + PAGE_SIZE);
		len = foo_reserve(inode, folio_pos(folio), upto);
		if (len) {
			folio_unlock(folio);
		} else {
			folio_mark_dirty(folio);
			vmf->prepared = upto;
		}
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len);
}

/* only that page, as much of it as is in the file */
vm_fault_t bad_claim_k24_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	size_t at = folio_page_idx(folio, vmf->page) * PAGE_SIZE;
	long len, part;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0) {
		part = min_t(long, len - at, PAGE_SIZE);
		len = foo_reserve(inode, folio_pos(folio) + at, part);
		if (len) {
			folio_unlock(folio);
		} else {
			folio_mark_dirty(folio);
			vmf->prepared = at + part;
		}
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len);
}

/* ---- a loop that counts, and | of two answers ---- */

vm_fault_t ok_k25_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	int tries, err = 0;

	sb_start_pagefault(inode->i_sb);
	for (tries = 0; tries < 2; tries++) {
		folio_lock(folio);
		if ((folio->mapping != inode->i_mapping) | (folio_pos(folio) >= i_size_read(inode)))
			err = -EAGAIN;
		if (err || !foo_map_block(inode, vmf->pgoff))
			break;
		folio_unlock(folio);
	}
	if (tries == 2)
		err = -EIO;
	else if (err)
		folio_unlock(folio);
	else
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* the last try has unlocked it already */
vm_fault_t bad_balance_k26_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	int tries, err = 0;

	sb_start_pagefault(inode->i_sb);
	for (tries = 0; tries < 2; tries++) {
		folio_lock(folio);
		if ((folio->mapping != inode->i_mapping) | (folio_pos(folio) >= i_size_read(inode)))
			err = -EAGAIN;
		if (err || !foo_map_block(inode, vmf->pgoff))
			break;
		folio_unlock(folio);
	}
	if (tries == 2)
		err = -EIO;
	if (err)
		folio_unlock(folio);
	else
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}
