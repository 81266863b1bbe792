/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sorts and filters the tables of the report.
 *
 * Invariant: texts of the page are only ever compared and moved, never read
 * as HTML or as code; and without this script all rows are there to be read.
 */
"use strict";

(() => {
	/* Rows that are shown before somebody asks for more: so many can be
	 * laid out in no time. The style sheet has the number, too. */
	const STEP = 100;

	document.documentElement.classList.add("starting");

	const count = (number) => number.toLocaleString("en-US");

	const text = (cell) => cell.textContent.trim();

	const number = (cell) => Number(text(cell).replaceAll(",", ""));

	class Table {
		constructor(table) {
			this.table = table;
			this.body = table.tBodies[0];
			this.entries = Array.from(this.body.rows, (row, place) =>
				({ row, place, text: null }));
			this.sorted = this.entries;
			this.heads = Array.from(table.tHead.rows[0].cells);
			this.limit = STEP;
			this.keys = new Map();
			this.order = "";
			this.status = this.part("count");
			this.find = this.part("find");
			this.choice = this.part("choice");
			this.heads.forEach((head, column) => {
				this.addButton(head, column);
			});
			this.setUpControls();
			if (this.entries.length > STEP) {
				this.addPager();
				this.show();
			}
		}

		part(name) {
			return document.getElementById(
				`${this.table.id}-${name}`);
		}

		/* ---- sorting ---- */

		addButton(head, column) {
			const button = document.createElement("button");

			button.type = "button";
			button.append(...head.childNodes);
			head.append(button);
			button.addEventListener("click", () => {
				this.sort(head, column);
			});
		}

		/* What a row is sorted by. */
		key(head, column) {
			switch (head.dataset.sort) {
			case "number":
				return (entry) => number(entry.row.cells[column]);
			case "place":
				return (entry) => entry.place;
			case "time":
				return (entry) => text(entry.row.cells[column]);
			default:
				return (entry) =>
					text(entry.row.cells[column])
						.toLowerCase();
			}
		}

		/* All rows with what they are sorted by; reading it takes longer
		 * than sorting, so it is kept. */
		keyed(head, column) {
			if (!this.keys.has(column)) {
				const key = this.key(head, column);

				this.keys.set(column, this.entries.map((entry) =>
					({ entry, key: key(entry) })));
			}
			return this.keys.get(column);
		}

		/* Up first for texts, down first for numbers and times: most
		 * and latest is what people look for. */
		sort(head, column) {
			const up = head.dataset.sort === "text" ||
				head.dataset.sort === "place";
			const first = up ? "ascending" : "descending";
			const second = up ? "descending" : "ascending";
			const order = head.getAttribute("aria-sort") === first ?
				second : first;
			const sign = order === "ascending" ? 1 : -1;
			const keyed = this.keyed(head, column);

			keyed.sort((a, b) => {
				if (a.key !== b.key) {
					return a.key < b.key ? -sign : sign;
				}
				return a.entry.place - b.entry.place;
			});
			this.sorted = keyed.map((k) => k.entry);
			for (const other of this.heads) {
				other.removeAttribute("aria-sort");
			}
			head.setAttribute("aria-sort", order);
			this.order = `, by ${text(head)}, ${order}`;
			this.show();
		}

		/* ---- filtering ---- */

		setUpControls() {
			const controls = this.part("controls");

			if (controls === null) {
				return;
			}
			controls.hidden = false;
			this.find.addEventListener("input", () => {
				this.filter();
			});
			this.choice?.addEventListener("change", () => {
				this.filter();
			});
			this.part("clear").addEventListener("click", () => {
				this.find.value = "";
				if (this.choice !== null) {
					this.choice.value = "";
				}
				this.filter();
			});
		}

		filter() {
			this.limit = STEP;
			this.show();
		}

		/* Whether a row fits the choice, whose value is "KEY>" or
		 * "KEY=TEXT". */
		chooser() {
			const value = this.choice?.value ?? "";
			const [, key, how, wanted] =
				/^([^>=]*)([>=]?)(.*)$/.exec(value);
			const column = this.heads.findIndex((head) =>
				head.dataset.key === key);

			if (column === -1) {
				return () => true;
			}
			if (how === ">") {
				return (entry) =>
					number(entry.row.cells[column]) > 0;
			}
			return (entry) =>
				text(entry.row.cells[column]) === wanted;
		}

		/* Every word has to be somewhere in the row. */
		finder() {
			const words = (this.find?.value ?? "").toLowerCase()
				.split(/\s+/).filter((word) => word !== "");

			return (entry) => {
				entry.text ??= entry.row.textContent.toLowerCase();
				return words.every((word) =>
					entry.text.includes(word));
			};
		}

		/* ---- showing ---- */

		addPager() {
			const pager = document.createElement("p");
			const more = document.createElement("button");
			const all = document.createElement("button");

			pager.className = "controls";
			more.type = "button";
			more.textContent = `Show ${count(STEP)} more`;
			more.addEventListener("click", () => {
				this.showMore(this.limit + STEP);
			});
			all.type = "button";
			all.addEventListener("click", () => {
				this.showMore(Infinity);
			});
			pager.append(more, all);
			this.table.parentElement.after(pager);
			this.pager = pager;
			this.more = more;
			this.all = all;
			this.status.tabIndex = -1;
		}

		/* The button may be gone afterwards, and the focus with it. */
		showMore(limit) {
			this.limit = limit;
			this.show();
			if (this.pager.hidden) {
				this.status.focus();
			}
		}

		show() {
			const chosen = this.chooser();
			const found = this.finder();
			const fitting = this.sorted.filter((entry) =>
				chosen(entry) && found(entry));
			const rows = document.createDocumentFragment();

			for (const entry of fitting.slice(0, this.limit)) {
				rows.append(entry.row);
			}
			this.body.replaceChildren(rows);
			this.say(fitting.length);
			if (this.pager !== undefined) {
				this.pager.hidden = fitting.length <= this.limit;
				this.all.textContent =
					`Show all ${count(fitting.length)}`;
			}
		}

		say(fitting) {
			const all = this.entries.length;
			const unit = this.table.dataset.unit;
			let line = `${count(all)} ${unit}${all === 1 ? "" : "s"}`;

			if (fitting < all) {
				line = `${count(fitting)} of ${line}`;
			}
			if (fitting > this.limit) {
				line += `, the first ${count(this.limit)} shown`;
			}
			this.status.textContent = line + this.order;
		}
	}

	document.addEventListener("DOMContentLoaded", () => {
		for (const table of document.querySelectorAll("table.list")) {
			new Table(table);
		}
		document.documentElement.classList.remove("starting");
	});
})();
