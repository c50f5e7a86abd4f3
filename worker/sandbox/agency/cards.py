"""The thirty-five project cards: at all stages, some healthy, some not. Days are counted from today, money in thousands."""

from __future__ import annotations

from typing import NamedTuple

from worker.sandbox.agency.names import Pair


class CardSketch(NamedTuple):
    """One card before its dates are counted from today."""

    name: Pair
    client: int
    stage: str
    service: int
    engagement: str = "retainer"
    budget: int | None = None
    start: int | None = None
    due: int | None = None
    probability: int | None = None
    expected: int | None = None
    jira: str = ""


CARDS: tuple[CardSketch, ...] = (
    CardSketch(("Internet bank: evolution", "Интернет-банк: развитие"), 0, "evolution", 0, "retainer", 12_000, -560, 120, jira="SEVB"),
    CardSketch(("Bank: payments", "Банк: платежи"), 0, "in_progress", 0, "tm", 3_200, -120, 40, jira="SEVB-2"),
    CardSketch(("Bank for juniors", "Банк для подростков"), 0, "proposal", 1, "fixed_price", 4_500, probability=60, expected=63),
    CardSketch(("Branch terminals", "Терминалы в отделениях"), 0, "idea", 0, probability=10),
    CardSketch(("Airline app", "Приложение авиакомпании"), 1, "in_progress", 1, "retainer", 9_000, -260, 75, jira="POLET"),
    CardSketch(("Loyalty miles", "Программа миль"), 1, "shaping", 1, "tm", 2_400, probability=30, expected=50),
    CardSketch(("Airport promo", "Промо в аэропортах"), 1, "done", 7, "fixed_price", 800, -200, -90),
    CardSketch(("Grocery shop", "Магазин продуктов"), 2, "in_progress", 3, "tm", 5_200, -270, 25, jira="ZEL"),
    CardSketch(("Couriers' app", "Приложение курьеров"), 2, "agreed", 1, "tm", 3_100, probability=90, expected=14),
    CardSketch(("Dark kitchens", "Тёмные кухни"), 2, "idea", 3, probability=10),
    CardSketch(("Patient's cabinet", "Кабинет пациента"), 3, "evolution", 0, "retainer", 8_000, -580, 60, jira="MED"),
    CardSketch(("Lab results by chat", "Анализы в мессенджере"), 3, "in_progress", 0, "tm", 1_900, -80, 18, jira="https://jira.example/browse/MED-3"),
    CardSketch(("Telemedicine", "Телемедицина"), 3, "proposal", 1, "tm", 4_000, probability=50, expected=45),
    CardSketch(("Flat finder", "Подбор квартир"), 4, "in_progress", 2, "tm", 3_600, -200, 12, jira="KVA"),
    CardSketch(("Mortgage calculator", "Ипотечный калькулятор"), 4, "shaping", 2, "fixed_price", 700, probability=40, expected=30),
    CardSketch(("Owner's cabinet", "Кабинет собственника"), 4, "idea", 0, probability=15),
    CardSketch(("Energy portal", "Портал энергосбыта"), 5, "evolution", 0, "retainer", 10_000, -420, 150, jira="RASS"),
    CardSketch(("Meter readings", "Показания счётчиков"), 5, "in_progress", 1, "retainer", 2_100, -100, 55, jira="RASS-2"),
    CardSketch(("Open data", "Открытые данные"), 5, "lost", 4, "fixed_price", 500, probability=0),
    CardSketch(("B2B cabinet", "Кабинет юрлиц"), 5, "proposal", 0, "tm", 3_800, probability=55, expected=60),
    CardSketch(("Toy shop", "Магазин игрушек"), 6, "in_progress", 3, "tm", 2_900, -230, 35, jira="LUK"),
    CardSketch(("Gift finder", "Подбор подарков"), 6, "shaping", 3, "tm", 900, probability=35, expected=40),
    CardSketch(("New Year campaign", "Новогодняя кампания"), 6, "agreed", 7, "fixed_price", 650, probability=95, expected=7),
    CardSketch(("Tracking portal", "Портал отслеживания"), 7, "evolution", 0, "retainer", 9_500, -500, None, jira="KITA"),
    CardSketch(("Drivers' app", "Приложение водителей"), 7, "in_progress", 1, "retainer", 2_600, -110, 65,
               jira='project = KITA AND parent in (KITA-2, KITA-3)'),
    CardSketch(("Customs documents", "Таможенные документы"), 7, "idea", 0, probability=10),
    CardSketch(("Warehouse analytics", "Аналитика складов"), 7, "shaping", 4, "tm", 1_200, probability=30, expected=55),
    CardSketch(("Museum site", "Сайт музея"), 8, "in_progress", 2, "fixed_price", 1_400, -90, 110, jira="NB-1"),
    CardSketch(("Museum shop", "Лавка музея"), 8, "idea", 3, probability=20),
    CardSketch(("Yacht booking", "Бронирование яхт"), 9, "in_progress", 2, "fixed_price", 1_700, -70, 9, jira="NB-2"),
    CardSketch(("Season brand book", "Брендбук сезона"), 9, "proposal", 6, "fixed_price", 450, probability=50, expected=28),
    CardSketch(("Theatre tickets", "Билеты театра"), 10, "in_progress", 3, "fixed_price", 1_500, -60, 42, jira="NB-3"),
    CardSketch(("Theatre's youth club", "Молодёжный клуб театра"), 10, "shaping", 7, "fixed_price", 300, probability=25, expected=33),
    CardSketch(("Furniture configurator", "Конструктор мебели"), 11, "in_progress", 3, "fixed_price", 1_900, -55, None, jira="NB-4"),
    CardSketch(("Showroom landing", "Лендинг шоурума"), 11, "done", 2, "fixed_price", 250, -190, -120),
)
