// SPDX-License-Identifier: GPL-2.0
// mkwrite_callers: result, flags, wrapper, order, dirty, resize, absent, clean
#include "kernel.h"

typedef struct vm_operations_struct ops_t;

/* ---- result ---- */
vm_fault_t bad_result_plain(struct vm_fault *vmf)
{
	vm_fault_t ret;

	ret = vmf->vma->vm_ops->page_mkwrite(vmf);
	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE))
		return ret;
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_result_locked(struct vm_fault *vmf)
{
	vm_fault_t ret;

	ret = vmf->vma->vm_ops->page_mkwrite(vmf);
	if (!(ret & VM_FAULT_LOCKED))
		lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_result_error(const ops_t *ops, struct vm_fault *vmf)
{
	vm_fault_t ret;

	ret = ops->page_mkwrite(vmf);
	if (unlikely(ret & VM_FAULT_ERROR))
		return VM_FAULT_SIGBUS;
	return ret;
}

vm_fault_t ok_result_tested(struct vm_fault *vmf)
{
	vm_fault_t ret;

	ret = vmf->vma->vm_ops->page_mkwrite(vmf);
	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return ret;
	return VM_FAULT_LOCKED;
}

/* Passes it on, judges nothing. */
vm_fault_t ok_result_passed(const ops_t *ops, struct vm_fault *vmf)
{
	vm_fault_t ret;

	ret = ops->page_mkwrite(vmf);
	return ret;
}

/* A handler in front of another, which may not return it either. */
static vm_fault_t ok_result_handler(struct vm_fault *vmf)
{
	const ops_t *below = vmf->vma->vm_private_data;
	vm_fault_t ret;

	foo_count(vmf->vma->vm_private_data);
	ret = below->page_mkwrite(vmf);
	if (unlikely(!(ret & VM_FAULT_LOCKED)))
		foo_trim(file_inode(vmf->vma->vm_file));
	return ret;
}

static vm_fault_t ok_result_part(struct vm_fault *vmf, const ops_t *below)
{
	vm_fault_t ret;

	ret = below->page_mkwrite(vmf);
	if (ret & VM_FAULT_LOCKED)
		foo_make_dirty(page_folio(vmf->page));
	return ret;
}

static vm_fault_t ok_result_in_parts(struct vm_fault *vmf)
{
	return ok_result_part(vmf, vmf->vma->vm_private_data);
}

const struct vm_operations_struct result_ops = {
	.fault = filemap_fault,
	.page_mkwrite = ok_result_handler,
};

void result_set(ops_t *ops)
{
	ops->page_mkwrite = ok_result_in_parts;
}

/* Its table is in another file. */
vm_fault_t ok_result_page_mkwrite(struct vm_fault *vmf)
{
	const ops_t *below = vmf->vma->vm_private_data;
	vm_fault_t ret;

	ret = below->page_mkwrite(vmf);
	if (ret & VM_FAULT_ERROR)
		foo_trim(file_inode(vmf->vma->vm_file));
	return ret;
}

/* The VM's own. */
vm_fault_t bad_result_do_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret;

	ret = vmf->vma->vm_ops->page_mkwrite(vmf);
	if (ret & VM_FAULT_ERROR)
		return ret;
	return VM_FAULT_LOCKED;
}

/* It is in a table, but as another method. */
static vm_fault_t bad_result_fault(struct vm_fault *vmf)
{
	const ops_t *below = vmf->vma->vm_private_data;
	vm_fault_t ret;

	ret = below->page_mkwrite(vmf);
	if (ret & VM_FAULT_ERROR)
		return VM_FAULT_SIGBUS;
	return VM_FAULT_LOCKED;
}

const struct vm_operations_struct result_fault_ops = {
	.fault = bad_result_fault,
	.page_mkwrite = ok_result_handler,
};

/* Another method's result. */
vm_fault_t ok_result_fault(struct vm_fault *vmf)
{
	vm_fault_t ret;

	ret = filemap_fault(vmf);
	if (ret & VM_FAULT_ERROR)
		return ret;
	return VM_FAULT_LOCKED;
}

/* ---- flags ---- */
vm_fault_t bad_flags_early(struct vm_fault *vmf)
{
	unsigned int old = vmf->flags;
	vm_fault_t ret;

	vmf->flags = FAULT_FLAG_WRITE;
	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	ret = filemap_page_mkwrite(vmf);
	vmf->flags = old;
	return ret;
}

vm_fault_t bad_flags_error(struct vm_fault *vmf)
{
	unsigned int old = vmf->flags;
	vm_fault_t ret;

	vmf->flags = FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE;
	ret = filemap_page_mkwrite(vmf);
	if (ret & VM_FAULT_ERROR)
		return ret;
	vmf->flags = old;
	return ret;
}

vm_fault_t bad_flags_never(struct vm_fault *vmf)
{
	unsigned int old = vmf->flags;

	vmf->flags = 0;
	if (old & FAULT_FLAG_WRITE)
		return filemap_page_mkwrite(vmf);
	return filemap_fault(vmf);
}

vm_fault_t ok_flags_restored(struct vm_fault *vmf)
{
	unsigned int old = vmf->flags;
	vm_fault_t ret;

	vmf->flags = FAULT_FLAG_WRITE;
	ret = filemap_page_mkwrite(vmf);
	vmf->flags = old;
	if (ret & VM_FAULT_ERROR)
		return ret;
	return 0;
}

vm_fault_t ok_flags_after_check(struct vm_fault *vmf)
{
	unsigned int old = vmf->flags;
	vm_fault_t ret;

	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	vmf->flags = FAULT_FLAG_WRITE;
	ret = filemap_page_mkwrite(vmf);
	vmf->flags = old;
	return ret;
}

vm_fault_t ok_flags_read(struct vm_fault *vmf)
{
	unsigned int old = vmf->flags;

	if (old & FAULT_FLAG_WRITE)
		return VM_FAULT_SIGBUS;
	return filemap_fault(vmf);
}

/* ---- wrapper ---- */
struct foo { const ops_t *vm_ops; };

vm_fault_t bad_wrapper_one(struct vm_fault *vmf)
{
	struct foo *foo = vmf->vma->vm_private_data;

	return foo->vm_ops->fault(vmf);
}

const struct vm_operations_struct bad_wrapper_one_ops = {
	.fault = bad_wrapper_one,
};

vm_fault_t bad_wrapper_two(struct vm_fault *vmf)
{
	const ops_t *real = vmf->vma->vm_private_data;
	vm_fault_t ret = real->fault(vmf);

	return ret;
}

const struct vm_operations_struct bad_wrapper_two_ops = {
	.fault = bad_wrapper_two,
};

vm_fault_t bad_wrapper_three(struct vm_fault *vmf)
{
	struct foo *foo = vmf->vma->vm_private_data;

	if (!foo->vm_ops->fault)
		return VM_FAULT_SIGBUS;
	return foo->vm_ops->fault(vmf);
}

static struct vm_operations_struct bad_wrapper_three_ops = {
	.fault = bad_wrapper_three,
};

vm_fault_t ok_wrapper_both(struct vm_fault *vmf)
{
	struct foo *foo = vmf->vma->vm_private_data;

	return foo->vm_ops->fault(vmf);
}

vm_fault_t ok_wrapper_mkwrite(struct vm_fault *vmf)
{
	struct foo *foo = vmf->vma->vm_private_data;

	return foo->vm_ops->page_mkwrite(vmf);
}

const struct vm_operations_struct ok_wrapper_both_ops = {
	.fault = ok_wrapper_both,
	.page_mkwrite = ok_wrapper_mkwrite,
};

/* Its own ->fault. */
vm_fault_t ok_wrapper_own(struct vm_fault *vmf)
{
	return filemap_fault(vmf);
}

const struct vm_operations_struct ok_wrapper_own_ops = {
	.fault = ok_wrapper_own,
};

/* A copy of the whole table has all methods. */
void ok_wrapper_copy(struct vm_area_struct *vma, ops_t *copy)
{
	*copy = *vma->vm_ops;
	vma->vm_ops = copy;
}

/* ---- order ---- */
int ptep_set_access_flags(struct vm_area_struct *vma, unsigned long addr, void *pte, int dirty);

void bad_order_reuse(struct vm_fault *vmf, struct folio *folio)
{
	wp_page_reuse(vmf, folio);
	folio_lock(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
}

void bad_order_set(struct vm_fault *vmf, struct page *page)
{
	set_pte_at(vmf, 0, NULL, 1);
	lock_page(page);
	set_page_dirty(page);
	unlock_page(page);
}

void bad_order_flags(struct vm_fault *vmf, struct folio *folio)
{
	if (vmf->pgoff)
		return;
	ptep_set_access_flags(vmf->vma, 0, NULL, 1);
	folio_lock(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
}

void ok_order_reuse(struct vm_fault *vmf, struct folio *folio)
{
	folio_lock(folio);
	wp_page_reuse(vmf, folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
}

/* Locked by the caller, locked anew later. */
void ok_order_again(struct vm_fault *vmf, struct folio *folio)
{
	wp_page_reuse(vmf, folio);
	folio_unlock(folio);
	folio_lock(folio);
	folio_unlock(folio);
}

/* Nobody locks. */
void ok_order_private(struct vm_fault *vmf, struct folio *folio)
{
	wp_page_reuse(vmf, folio);
}

/* ---- dirty ---- */
void bad_dirty_pinned(unsigned long start, struct page *page)
{
	pin_user_pages_fast(start, 1, 0, &page);
	set_page_dirty(page);
	unpin_user_page(page);
}

void bad_dirty_release(struct page **pages, int nr)
{
	while (nr--) {
		set_page_dirty(pages[nr]);
		unpin_user_page(pages[nr]);
	}
}

void bad_dirty_folio(struct page *page)
{
	folio_mark_dirty(page_folio(page));
	unpin_user_page(page);
}

void ok_dirty_locked(struct page *page)
{
	lock_page(page);
	set_page_dirty(page);
	unlock_page(page);
	unpin_user_page(page);
}

void ok_dirty_helper(struct page *page)
{
	set_page_dirty_lock(page);
	unpin_user_page(page);
}

void ok_dirty_try(struct page *page)
{
	if (trylock_page(page)) {
		set_page_dirty(page);
		unlock_page(page);
	}
	unpin_user_page(page);
}

/* ---- resize ---- */
/* re-reads i_size after the handler to decide what becomes writable */
vm_fault_t bad_resize_itself(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = vmf->vma->vm_ops->page_mkwrite(vmf);

	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return ret;
	foo_map_range(vmf, 0, i_size_read(inode) >> PAGE_SHIFT);
	return ret;
}

vm_fault_t bad_resize_end(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	pgoff_t end;
	vm_fault_t ret;

	ret = do_page_mkwrite(vmf, page_folio(vmf->page));
	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return ret;
	end = (inode->i_size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	if (vmf->pgoff < end)
		foo_map_range(vmf, vmf->pgoff, end);
	return ret;
}

/* in a function that is called after it */
static void bad_resize_finish(struct vm_fault *vmf, struct inode *inode)
{
	pgoff_t end = i_size_read(inode) >> PAGE_SHIFT;

	if (vmf->pgoff < end)
		set_pte_at(vmf, vmf->pgoff, NULL, end);
}

vm_fault_t resize_caller(struct vm_fault *vmf)
{
	vm_fault_t ret = do_page_mkwrite(vmf, page_folio(vmf->page));

	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return ret;
	bad_resize_finish(vmf, file_inode(vmf->vma->vm_file));
	return ret;
}

/* i_size decides whether to ask at all */
vm_fault_t ok_resize_before(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	if (vmf->pgoff > i_size_read(inode) >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	return do_page_mkwrite(vmf, page_folio(vmf->page));
}

/* what was prepared decides */
vm_fault_t ok_resize_prepared(struct vm_fault *vmf)
{
	vm_fault_t ret = do_page_mkwrite(vmf, page_folio(vmf->page));

	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return ret;
	foo_map_range(vmf, 0, vmf->prepared >> PAGE_SHIFT);
	return ret;
}

/* ---- absent ---- */
static vm_fault_t locking_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = vmf->vma->vm_ops->fault(vmf);

	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return ret;
	if (!(ret & VM_FAULT_LOCKED))
		lock_page(vmf->page);
	return ret;
}

/* the function has locked, whatever ->fault said */
vm_fault_t bad_absent_unlock(struct vm_fault *vmf)
{
	vm_fault_t ret = locking_fault(vmf);

	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return ret;
	if (ret & VM_FAULT_LOCKED)
		unlock_page(vmf->page);
	return ret;
}

static vm_fault_t telling_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = vmf->vma->vm_ops->fault(vmf);

	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return ret;
	if (!(ret & VM_FAULT_LOCKED)) {
		lock_page(vmf->page);
		ret |= VM_FAULT_LOCKED;
	}
	return ret;
}

vm_fault_t ok_absent_told(struct vm_fault *vmf)
{
	vm_fault_t ret = telling_fault(vmf);

	if (ret & VM_FAULT_LOCKED)
		unlock_page(vmf->page);
	return ret;
}

/* ---- clean ---- */
/* dirty state dropped, nothing written, no error */
int bad_clean_plain(struct folio *folio)
{
	folio_lock(folio);
	folio_clear_dirty_for_io(folio);
	folio_unlock(folio);
	return 0;
}

int bad_clean_beyond(struct page *page, struct inode *inode)
{
	lock_page(page);
	if (page_offset(page) >= i_size_read(inode))
		ClearPageDirty(page);
	unlock_page(page);
	return 0;
}

int ok_clean_written(struct folio *folio)
{
	int err;

	folio_lock(folio);
	if (!folio_clear_dirty_for_io(folio)) {
		folio_unlock(folio);
		return 0;
	}
	err = foo_writepage(folio);
	return err;
}

int ok_clean_error(struct folio *folio)
{
	folio_lock(folio);
	folio_clear_dirty_for_io(folio);
	mapping_set_error(folio->mapping, -EIO);
	folio_unlock(folio);
	return -EIO;
}
