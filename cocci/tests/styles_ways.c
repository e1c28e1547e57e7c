// SPDX-License-Identifier: GPL-2.0
// Ways to write the same: what an independent set of 45 handlers, and 41 more, had that the judge did not read.
#include "kernel.h"

enum w_state { W_LOCK, W_PREPARE, W_LEAVE };

struct w_ops { int (*prepare)(struct inode *inode, struct folio *folio, ssize_t len); };

/* ---- correct ---- */

/* a machine of states; names with values */
vm_fault_t ok_w01_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	enum w_state state;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	for (state = W_LOCK; state != W_LEAVE;) {
		if (state == W_LOCK) {
			len = filemap_mkwrite_lock(vmf);
			if (len < 0)
				ret = vmf_fs_error(len);
			state = len < 0 ? W_LEAVE : W_PREPARE;
		} else {
			if (foo_prepare(inode, folio)) {
				folio_unlock(folio);
			} else {
				folio_mark_dirty(folio);
				ret = VM_FAULT_LOCKED;
			}
			state = W_LEAVE;
		}
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* the answer of the lock decides by itself, it has two errors only */
vm_fault_t ok_w02_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = VM_FAULT_LOCKED;

	sb_start_pagefault(inode->i_sb);
	switch (filemap_mkwrite_lock(vmf)) {
	case -EINTR:
		ret = VM_FAULT_SIGBUS;
		break;
	case -EAGAIN:
		ret = VM_FAULT_NOPAGE;
		break;
	default:
		folio_mark_dirty(page_folio(vmf->page));
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* a range of errors */
vm_fault_t ok_w03_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	switch (len) {
	case -EAGAIN:
		ret = VM_FAULT_NOPAGE;
		break;
	case -EAGAIN + 1 ... -1:
		ret = VM_FAULT_SIGBUS;
		break;
	default:
		ret = VM_FAULT_LOCKED;
		folio_mark_dirty(page_folio(vmf->page));
		break;
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* the folio, or the error in its place */
static struct folio *w04_get(struct vm_fault *vmf)
{
	long len = filemap_mkwrite_lock(vmf);

	return len < 0 ? (struct folio *)ERR_PTR(len) : page_folio(vmf->page);
}

vm_fault_t ok_w04_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;
	int err;

	sb_start_pagefault(inode->i_sb);
	folio = w04_get(vmf);
	err = PTR_ERR_OR_ZERO(folio);
	if (!err && (err = foo_prepare(inode, folio)) != 0)
		folio_unlock(folio);
	if (!err)
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* the error is what is below zero */
vm_fault_t ok_w05_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long err;

	sb_start_pagefault(inode->i_sb);
	err = min_t(long, filemap_mkwrite_lock(vmf), 0);
	if (err == 0) {
		err = foo_prepare(inode, folio);
		if (err == 0)
			folio_mark_dirty(folio);
		else
			folio_unlock(folio);
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* a statement expression */
vm_fault_t ok_w06_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	int err;

	sb_start_pagefault(inode->i_sb);
	err = ({
		ssize_t len = filemap_mkwrite_lock(vmf);
		int e = 0;

		if (len < 0)
			e = len;
		e;
	});
	if (!err)
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* which handler it is, is a variable */
static vm_fault_t w07_plain(struct vm_fault *vmf)
{
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len > 0)
		folio_mark_dirty(page_folio(vmf->page));
	return len > 0 ? VM_FAULT_LOCKED : vmf_fs_error(len);
}

static vm_fault_t w07_careful(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	if (foo_prepare(NULL, folio)) {
		folio_unlock(folio);
		return VM_FAULT_SIGBUS;
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

vm_fault_t ok_w07_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t (*mkwrite)(struct vm_fault *vmf) = w07_plain;
	vm_fault_t ret;

	if (inode->i_private)
		mkwrite = w07_careful;
	sb_start_pagefault(inode->i_sb);
	ret = (*mkwrite)(vmf);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* ... and what prepares stands in a table; it unlocks when it fails */
static int w08_prepare(struct inode *inode, struct folio *folio, ssize_t len)
{
	int err = foo_prepare(inode, folio);

	if (err)
		folio_unlock(folio);
	return err;
}

static const struct w_ops w08_ops = { .prepare = w08_prepare };

vm_fault_t ok_w08_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	const struct w_ops *ops = &w08_ops;
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	err = len < 0 ? len : ops->prepare(inode, folio, len);
	if (!err)
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* an error is told by its value as an unsigned number */
vm_fault_t ok_w09_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned long len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (IS_ERR_VALUE(len)) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* errors turn over their sign */
vm_fault_t ok_w10_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = VM_FAULT_SIGBUS;
	int err = 0;
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		err = -len;
	switch (err) {
	case 0:
		folio_mark_dirty(page_folio(vmf->page));
		ret = VM_FAULT_LOCKED;
		break;
	case EAGAIN:
		ret = VM_FAULT_NOPAGE;
		break;
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* the answer is looked up: nobody calls that wrong */
static vm_fault_t w11_answer(int err)
{
	static const struct { int err; vm_fault_t ret; } answers[] = {
		{ 0, VM_FAULT_LOCKED }, { -EAGAIN, VM_FAULT_NOPAGE }, { -ENOMEM, VM_FAULT_OOM },
	};
	unsigned int i = 0;

	while (i < sizeof(answers) / sizeof(answers[0]) && answers[i].err != err)
		i++;
	return i < 3 ? answers[i].ret : VM_FAULT_SIGBUS;
}

vm_fault_t ok_w11_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0)
		folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return w11_answer(len > 0 ? 0 : len);
}

/* guards that are defined elsewhere, under names that say nothing */
void guard_w12_enter(struct super_block *sb);
void guard_w12_layout(struct inode *inode);
void guard_w12_note(struct folio *folio);

vm_fault_t ok_w12_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;

	guard(w12_enter)(inode->i_sb);
	guard(w12_layout)(inode);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	guard(w12_note)(folio);
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/* the lock is what constructs a class */
void w13_note(ssize_t len);
DEFINE_CLASS(w13_len, ssize_t, w13_note(_T), filemap_mkwrite_lock(vmf), struct vm_fault *vmf)

vm_fault_t ok_w13_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	sb_start_pagefault(inode->i_sb);
	{
		CLASS(w13_len, len)(vmf);
		ret = len < 0 ? vmf_fs_error(len) : VM_FAULT_LOCKED;
		if (len > 0)
			folio_mark_dirty(page_folio(vmf->page));
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* i_size is read once, under the lock; what it says is prepared, and then claimed */
vm_fault_t ok_w14_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_NOPAGE;
	loff_t bytes;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	bytes = i_size_read(inode) - folio_pos(folio);
	if (folio->mapping != inode->i_mapping || bytes <= 0)
		goto unlock;
	bytes = min_t(loff_t, bytes, folio_size(folio));
	ret = VM_FAULT_SIGBUS;
	if (foo_reserve(inode, folio_pos(folio), bytes))
		goto unlock;
	folio_mark_dirty(folio);
	vmf->prepared = bytes;
	ret = VM_FAULT_LOCKED;
	goto out;
unlock:
	folio_unlock(folio);
out:
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* a hint from before the lock, for a trace only; a trylock on which nothing hangs */
vm_fault_t ok_w15_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	loff_t size = i_size_read(inode);
	ssize_t len;

	trace_foo_mkwrite(inode, size);
	sb_start_pagefault(inode->i_sb);
	if (inode_trylock(inode)) {
		foo_trim(inode);
		inode_unlock(inode);
	}
	len = filemap_mkwrite_lock(vmf);
	if (len > 0)
		folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len < 0 ? len : 0);
}

/* it marks the folio dirty by a function of its own */
vm_fault_t ok_w16_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0)
		foo_make_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len < 0 ? len : 0);
}

/* block by block, which together are what is claimed */
vm_fault_t ok_w17_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len, done = 0;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		goto out;
	while (done < len) {
		if (foo_reserve(inode, folio_pos(folio) + done, PAGE_SIZE)) {
			folio_unlock(folio);
			len = -ENOSPC;
			goto out;
		}
		done += PAGE_SIZE;
	}
	vmf->prepared = len;
	folio_mark_dirty(folio);
	len = 0;
out:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len);
}

/* the guard is in a macro that stands in front of the statement */
DEFINE_GUARD(w18_fault, struct super_block *, sb_start_pagefault(_T), sb_end_pagefault(_T))
#define w18_thawed(sb)	scoped_guard(w18_fault, sb)

vm_fault_t ok_w18_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;
	ssize_t len;

	w18_thawed(inode->i_sb) {
		len = filemap_mkwrite_lock(vmf);
		ret = len < 0 ? vmf_fs_error(len) : VM_FAULT_LOCKED;
		if (len < 0)
			break;
		folio_mark_dirty(page_folio(vmf->page));
	}
	return ret;
}

/* NULL, or an error, and not both */
static struct get *w19_get(struct vm_fault *vmf, struct inode *inode)
{
	ssize_t len = filemap_mkwrite_lock(vmf);
	struct get *get;

	if (len < 0)
		return ERR_PTR(len);
	get = foo_alloc(inode);
	if (get)
		return get;
	folio_unlock(page_folio(vmf->page));
	return ERR_PTR(-ENOMEM);
}

vm_fault_t ok_w19_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct get *get;

	sb_start_pagefault(inode->i_sb);
	get = w19_get(vmf, inode);
	if (!IS_ERR(get))
		folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return IS_ERR(get) ? vmf_fs_error(PTR_ERR(get)) : VM_FAULT_LOCKED;
}

/* a copy of filemap_mkwrite_lock(), as an older kernel needs it */
static ssize_t w20_lock(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct page *page = vmf->page;
	loff_t size;

	lock_page(page);
	size = i_size_read(inode);
	if (page->mapping == inode->i_mapping && page_offset(page) < size)
		return min_t(loff_t, PAGE_SIZE, size - page_offset(page));
	unlock_page(page);
	return -EAGAIN;
}

vm_fault_t ok_w20_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = w20_lock(vmf);
	if (len > 0) {
		set_page_dirty(vmf->page);
		vmf->prepared = len;
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len < 0 ? len : 0);
}

/* ->mapping by its function; a guard that is named like inode_lock() */
void guard_w33_inode_lock(struct foo_inode *fi);

vm_fault_t ok_w33_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	sb_start_pagefault(inode->i_sb);
	guard(w33_inode_lock)(inode->i_private);
	folio_lock(folio);
	if (folio_mapping(folio) == inode->i_mapping && folio_pos(folio) < i_size_read(inode)) {
		folio_mark_dirty(folio);
		ret = VM_FAULT_LOCKED;
	} else {
		folio_unlock(folio);
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* a block in brackets, which leaves the function */
#define w34_fail_if(x, r)	({ if (x) { ret = (r); goto out; } })

vm_fault_t ok_w34_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = VM_FAULT_LOCKED;
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	w34_fail_if(len < 0, vmf_fs_error(len));
	folio_mark_dirty(page_folio(vmf->page));
out:
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* the compiler's attribute, without cleanup.h; a guard that is given the inode */
void guard_w41_enter(struct inode *inode);

static void w41_unlock(struct folio **folio)
{
	if (*folio)
		folio_unlock(*folio);
}

vm_fault_t ok_w41_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio __attribute__((cleanup(w41_unlock))) = NULL;
	struct inode *inode = file_inode(vmf->vma->vm_file);

	guard(w41_enter)(inode);
	if (filemap_mkwrite_lock(vmf) < 0)
		return VM_FAULT_NOPAGE;
	folio = page_folio(vmf->page);
	if (foo_prepare(inode, folio))
		return VM_FAULT_SIGBUS;
	folio_mark_dirty(folio);
	folio = NULL;
	return VM_FAULT_LOCKED;
}

/* the lock is taken where a structure is initialized */
vm_fault_t ok_w42_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct { ssize_t len; int tries; } now;

	sb_start_pagefault(inode->i_sb);
	{
		struct { ssize_t len; int tries; } got = { .len = filemap_mkwrite_lock(vmf), .tries = 1 };

		now.len = got.len;
	}
	if (now.len > 0)
		folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return now.len > 0 ? VM_FAULT_LOCKED : vmf_fs_error(now.len);
}

/* small functions of the file tell what a structure says */
struct w45_fault { struct vm_fault *vmf; struct folio *folio; int err; };

static bool w45_fine(const struct w45_fault *f)
{
	return !f->err;
}

static void w45_leave(struct w45_fault *f)
{
	if (!w45_fine(f) && f->folio)
		folio_unlock(f->folio);
}

vm_fault_t ok_w45_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct w45_fault f = { .vmf = vmf, .folio = NULL };
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(f.vmf);
	f.err = len < 0 ? len : 0;
	if (w45_fine(&f)) {
		f.folio = page_folio(vmf->page);
		f.err = foo_prepare(inode, f.folio);
	}
	if (w45_fine(&f))
		folio_mark_dirty(f.folio);
	w45_leave(&f);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(f.err);
}

/* ---- wrong, in the same ways ---- */

/* a state that forgets to unlock */
vm_fault_t bad_balance_w21_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	enum w_state state = W_LOCK;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	while (state != W_LEAVE) {
		switch (state) {
		case W_LOCK:
			len = filemap_mkwrite_lock(vmf);
			state = len < 0 ? W_LEAVE : W_PREPARE;
			break;
		case W_PREPARE:
			if (foo_prepare(inode, folio) == 0) {
				folio_mark_dirty(folio);
				ret = VM_FAULT_LOCKED;
			}
			state = W_LEAVE;
			break;
		case W_LEAVE:
			break;
		}
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* LOCKED for one of the two errors */
vm_fault_t bad_balance_w22_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	sb_start_pagefault(inode->i_sb);
	switch (filemap_mkwrite_lock(vmf)) {
	case -EAGAIN:
		ret = VM_FAULT_NOPAGE;
		break;
	default:
		ret = VM_FAULT_LOCKED;
		break;
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* the pointer is an error, and is not asked */
static struct folio *w23_get(struct vm_fault *vmf)
{
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return ERR_PTR(len);
	return page_folio(vmf->page);
}

vm_fault_t bad_balance_w23_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;
	int err;

	sb_start_pagefault(inode->i_sb);
	folio = w23_get(vmf);
	err = PTR_ERR_OR_ZERO(folio);
	if (err == -ENOMEM) {
		sb_end_pagefault(inode->i_sb);
		return VM_FAULT_OOM;
	}
	folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* one of the two functions leaves the folio unlocked */
static vm_fault_t w24_plain(struct vm_fault *vmf)
{
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len > 0)
		folio_mark_dirty(page_folio(vmf->page));
	return vmf_fs_error(len > 0 ? 0 : len);
}

static vm_fault_t w24_wrong(struct vm_fault *vmf)
{
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	folio_mark_dirty(page_folio(vmf->page));
	folio_unlock(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_balance_w24_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t (*mkwrite)(struct vm_fault *vmf);
	vm_fault_t ret;

	mkwrite = inode->i_private ? w24_plain : w24_wrong;
	sb_start_pagefault(inode->i_sb);
	ret = mkwrite(vmf);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* a statement expression that leaves an error beside the lock */
vm_fault_t bad_balance_w25_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	int err;

	sb_start_pagefault(inode->i_sb);
	err = ({
		ssize_t len = filemap_mkwrite_lock(vmf);

		len < 0 ? (int)len : foo_prepare(inode, folio);
	});
	if (!err)
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* the wrong end of the minimum */
vm_fault_t bad_balance_w26_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	long err;

	sb_start_pagefault(inode->i_sb);
	err = min_t(long, filemap_mkwrite_lock(vmf), 0);
	if (!err)
		folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return err ? VM_FAULT_LOCKED : VM_FAULT_NOPAGE;
}

/* a page is reserved, by its index; the whole folio is claimed */
vm_fault_t bad_claim_w27_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	err = len < 0 ? len : foo_reserve_page(inode, vmf->pgoff);
	if (err == 0) {
		folio_mark_dirty(folio);
		vmf->prepared = len;
	} else if (len > 0) {
		folio_unlock(folio);
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* pages of the folio, also those behind i_size */
vm_fault_t bad_claim_w28_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0) {
		folio_mark_dirty(folio);
		vmf->prepared = folio_nr_pages(folio) << PAGE_SHIFT;
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len < 0 ? len : 0);
}

/* i_size is read a second time, for what is claimed */
vm_fault_t bad_claim_w29_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	if (foo_reserve(inode, folio_pos(folio), len)) {
		folio_unlock(folio);
		sb_end_pagefault(inode->i_sb);
		return VM_FAULT_SIGBUS;
	}
	folio_mark_dirty(folio);
	vmf->prepared = min_t(loff_t, i_size_read(inode) - folio_pos(folio), folio_size(folio));
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* below a guard of an unknown name the folio is unlocked twice */
void guard_w30_enter(struct super_block *sb);

vm_fault_t bad_balance_w30_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	int err;

	guard(w30_enter)(inode->i_sb);
	if (filemap_mkwrite_lock(vmf) < 0)
		return VM_FAULT_NOPAGE;
	err = foo_prepare(inode, folio);
	if (err)
		folio_unlock(folio);
	if (err == -ENOSPC) {
		folio_unlock(folio);
		return VM_FAULT_SIGBUS;
	}
	if (err)
		return VM_FAULT_SIGBUS;
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/* a lock guard of a class: it is released at the end of the block, and then again */
DEFINE_LOCK_GUARD_1(w31_fault, struct inode, sb_start_pagefault(_T->lock->i_sb), sb_end_pagefault(_T->lock->i_sb))

vm_fault_t bad_freeze_w31_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;

	guard(w31_fault)(inode);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	folio_mark_dirty(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

/* a wait below the folio lock, in a statement expression */
vm_fault_t bad_rank_w32_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0 && ({ void *handle = foo_journal_start(inode); !handle; })) {
		folio_unlock(folio);
		len = -EIO;
	}
	if (len > 0)
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len < 0 ? len : 0);
}

/* the block of the page is computed on the way */
vm_fault_t bad_claim_w35_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	size_t done;
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0 && foo_map_block(inode, vmf->pgoff >> 2)) {
		folio_unlock(folio);
		len = -ENOSPC;
	}
	if (len > 0) {
		folio_mark_dirty(folio);
		done = len;
		vmf->prepared = done;
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len < 0 ? len : 0);
}

/* an old i_size decides, by a value and not by a branch */
vm_fault_t bad_isize_w36_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	loff_t size = i_size_read(inode);
	int err;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	err = folio->mapping == inode->i_mapping && folio_pos(folio) < size ? 0 : -EAGAIN;
	if (err)
		folio_unlock(folio);
	else
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* bits that another function gives, and LOCKED for a folio that is not */
vm_fault_t bad_balance_w37_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = foo_fault(vmf);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0) {
		folio_mark_dirty(page_folio(vmf->page));
		folio_unlock(page_folio(vmf->page));
	}
	sb_end_pagefault(inode->i_sb);
	return ret | VM_FAULT_LOCKED;
}

/* one way through the switch leaves the answer unset */
vm_fault_t bad_unlocked_w38_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	sb_start_pagefault(inode->i_sb);
	switch (filemap_mkwrite_lock(vmf)) {
	case -EAGAIN:
		ret = VM_FAULT_NOPAGE;
		break;
	case -EINTR:
		ret = VM_FAULT_SIGBUS;
		break;
	default:
		folio_mark_dirty(page_folio(vmf->page));
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* the freeze may come before the folio is locked */
vm_fault_t bad_early_w39_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	sb_end_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0)
		folio_mark_dirty(page_folio(vmf->page));
	return vmf_fs_error(len < 0 ? len : 0);
}

/* the guard unlocks what is returned as locked */
void guard_folio_lock(struct folio *folio);

vm_fault_t bad_balance_w40_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	sb_start_pagefault(inode->i_sb);
	scoped_guard(folio_lock, folio) {
		if (folio->mapping == inode->i_mapping && folio_pos(folio) < i_size_read(inode)) {
			folio_mark_dirty(folio);
			ret = VM_FAULT_LOCKED;
		}
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* what is below i_size, and then up to the end of the page */
vm_fault_t bad_claim_w43_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0 && foo_reserve(inode, folio_pos(folio), len)) {
		folio_unlock(folio);
		len = -ENOSPC;
	}
	if (len > 0) {
		folio_mark_dirty(folio);
		vmf->prepared = round_up(len, PAGE_SIZE);
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len < 0 ? len : 0);
}

/* the same attribute unlocks what is returned as locked */
vm_fault_t bad_balance_w44_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio __attribute__((cleanup(w41_unlock))) = NULL;
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0) {
		folio = page_folio(vmf->page);
		folio_mark_dirty(folio);
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len < 0 ? len : 0);
}

/* a block, prepared by a small function; its name begins like min() */
static int min46_prepare(struct inode *inode, struct vm_fault *vmf)
{
	return foo_map_block(inode, vmf->pgoff << 2);
}

vm_fault_t bad_claim_w46_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	err = len < 0 ? len : min46_prepare(inode, vmf);
	if (err == 0) {
		folio_mark_dirty(page_folio(vmf->page));
		vmf->prepared = len;
	} else if (len > 0) {
		folio_unlock(page_folio(vmf->page));
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}
